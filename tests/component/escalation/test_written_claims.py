"""The customer's written claim for a service credit goes to the vendor as it is; nothing else does by its type."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database
from tests.component.case_mails import MailDesk, opened_desk, reply
from tests.component.vendor_support import CHANNEL

CLAIM = "We claim the credit. Call Ines Alpenrose, +49 30 2345678, ines@alpenrose.example."
CREDIT = {"type_code": "service_level", "counts_since": "2026-03-01", "currency": "EUR", "expected_minor": 2520}


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[MailDesk]:
    async with opened_desk(database, keys, jwks_file) as opened:
        put = await opened.client.http.put("/v1/vendor-channels/GS-DE", json=CHANNEL, headers=opened.client.headers)
        assert put.status_code == 200
        yield opened


async def open_credit(desk: MailDesk) -> tuple[str, str]:
    """Open a service credit; its path and its case."""
    credit = await desk.client.create("/v1/service-credits", CREDIT | {"account_id": desk.account_id})
    return f"/v1/service-credits/{credit['id']}", credit["case_id"]


async def receive_claim(desk: MailDesk, case_id: str, number: int = 0) -> str:
    """Let the customer answer with a claim; the id of the entry."""
    await desk.write(case_id, f"Please write us your claim ({number}).")
    asked = (await desk.send())[-1]
    assert (await desk.hand_over(reply(asked, CLAIM)))["state"] == "joined"
    return str([entry["id"] for entry in await desk.entries(case_id) if entry["kind"] == "mail_in"][-1])


async def prepare(desk: MailDesk, case_id: str, entry_ids: list[str], **more: Any) -> Any:
    """Prepare a ticket of these entries; the answer."""
    body = {"title": "Service level missed", "description": "Mail stood still.", "no_line_reason": "terms"}
    path = f"/v1/cases/{case_id}/vendor-tickets"
    return await desk.client.post(path, body | {"entry_ids": entry_ids} | more)


async def test_a_written_claim_goes_as_the_customer_wrote_it(desk: MailDesk) -> None:
    path, case_id = await open_credit(desk)
    claim = await receive_claim(desk, case_id)
    stopped = await prepare(desk, case_id, [claim])
    assert (stopped.status_code, stopped.json()["code"]) == (409, "contact_details_undecided"), "a mail like any other"
    shown = await desk.client.create(
        f"{path}/evidence", {"code": "written_claim", "content": "their mail of today", "entry_id": claim}
    )
    assert {line["code"]: line["entry_id"] for line in shown["evidence"]}["written_claim"] == claim
    prepared = (await prepare(desk, case_id, [claim])).json()
    ticket = await desk.client.got(f"/v1/vendor-tickets/{prepared['id']}")
    packed = await desk.client.get(f"/v1/vendor-tickets/{prepared['id']}/evidence-pack")
    files = zipfile.ZipFile(io.BytesIO(packed.content))
    assert CLAIM in "".join(files.read(name).decode() for name in files.namelist())
    assert ticket["decisions"] == [
        {
            "place": f"entry {claim}",
            "kind": "written_claim",
            "choice": "let_through",
            "reason": "the customer's written claim for a service credit",
        }
    ]
    described = await prepare(desk, case_id, [claim], description=CLAIM)
    assert {detail["place"] for detail in described.json()["details"]} == {"description"}, "what we write is searched"


async def test_other_evidence_and_other_entries_are_searched(desk: MailDesk) -> None:
    path, case_id = await open_credit(desk)
    first, second = await receive_claim(desk, case_id), await receive_claim(desk, case_id, 1)
    for code, entry_id in (("proof_of_impact", first), ("written_claim", second)):
        await desk.client.create(f"{path}/evidence", {"code": code, "content": "their mail", "entry_id": entry_id})
    stopped = await prepare(desk, case_id, [first, second])
    assert {detail["place"] for detail in stopped.json()["details"]} == {f"entry {first}"}


async def test_only_a_mail_of_the_customer_in_the_case_is_their_claim(desk: MailDesk) -> None:
    path, case_id = await open_credit(desk)
    note = (await desk.client.create(f"/v1/cases/{case_id}/notes", {"content": CLAIM}))["id"]
    message = (await desk.write(case_id, CLAIM))["id"]
    elsewhere = await receive_claim(desk, await desk.open())
    for entry_id in (note, message, elsewhere):
        body = {"code": "written_claim", "content": "their letter", "entry_id": entry_id}
        assert await desk.refuse(f"{path}/evidence", body) == (422, "entry_refused"), entry_id


async def test_a_claim_that_came_to_the_case_that_took_the_credit_in_goes_as_it_is(desk: MailDesk) -> None:
    path, case_id = await open_credit(desk)
    ongoing = await desk.open()
    await desk.do(case_id, "merge", into_case_id=ongoing)
    claim = await receive_claim(desk, ongoing)
    await desk.client.create(f"{path}/evidence", {"code": "written_claim", "content": "their mail", "entry_id": claim})
    assert (await prepare(desk, ongoing, [claim])).status_code == 201
