"""Legal entities and months of the ledger are listed in the order of their codes, in pages."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, insert_legal_entities, invoice, running
from tests.component.documents_world import SELLER
from tests.component.setting_requests import close_month

PERIODS = "/v1/ledger-periods"


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    """Invoicing on 10 May 2026."""
    await database.move(datetime(2026, 5, 10, 9, tzinfo=UTC))
    async with running("invoicing", database, keys, jwks_file) as (_, caller):
        yield caller


async def post_in(client: Client, legal_entity: str, day: str) -> None:
    """Post an invoice that is dated on a day."""
    owner = (await client.create("/v1/accounts", account(legal_entity=legal_entity)))["id"]
    await client.create("/v1/invoices", invoice(owner, 100, issue_date=day, due_date="2026-06-30"))


async def list_months(client: Client, **criteria: Any) -> list[tuple[str, str, str]]:
    """List legal entity, month and state, page by page of two."""
    months: list[tuple[str, str, str]] = []
    after: dict[str, Any] = {}
    while True:
        page = await client.got(PERIODS, limit=2, **criteria, **after)
        months += [(period["legal_entity"], period["month"][:7], period["state"]) for period in page["items"]]
        if page["next"] is None:
            return months
        after = {"after": page["next"]}


async def test_legal_entities_are_listed_with_data_or_without(client: Client, database: Database) -> None:
    await insert_legal_entities(database.url("owner"), ["GS-CH"])
    assert (await client.http.put("/v1/legal-entities/GS-FR", json=SELLER, headers=client.headers)).status_code == 200
    rule = {"required": False, "reason": "one person"}
    path = "/v1/legal-entities/GS-AT/second-person"
    assert (await client.http.put(path, json=rule, headers=client.headers)).status_code == 200
    first = await client.got("/v1/legal-entities", limit=3)
    second = await client.got("/v1/legal-entities", limit=3, after=first["next"])
    assert [entity["code"] for entity in first["items"]] == ["GS-AT", "GS-CH", "GS-DE"]
    assert [entity["second_person_required"] for entity in first["items"]] == [False, True, True]
    assert (first["items"][0]["name"], first["items"][0]["version"]) == (None, 0)
    assert second == {
        "items": [
            {
                "code": "GS-FR",
                "name": "Goodstanding GmbH",
                "country": None,
                "tax_calculator": "rates",
                "sends_documents": True,
                "second_person_required": True,
                "version": 1,
            }
        ],
        "next": None,
    }


async def test_months_go_from_the_first_posting_to_this_month_and_say_how_they_were_closed(client: Client) -> None:
    """January to March are closed, the first two with February; nothing was ever posted for GS-FR."""
    assert await list_months(client) == []
    await post_in(client, "GS-DE", "2026-01-20")
    await post_in(client, "GS-AT", "2026-04-30")
    for month in ("2026-02", "2026-03"):
        await close_month(client, month, reason=f"end of {month}")
    austria = [("GS-AT", "2026-04", "open"), ("GS-AT", "2026-05", "open")]
    closed = [("GS-DE", f"2026-0{month}", "closed") for month in (1, 2, 3)]
    still_open = [("GS-DE", f"2026-0{month}", "open") for month in (4, 5)]
    assert await list_months(client) == [*austria, *closed, *still_open]
    assert await list_months(client, state="open") == [*austria, *still_open]
    assert await list_months(client, state="closed") == closed
    assert await list_months(client, legal_entity="GS-DE", state="open") == still_open
    assert await list_months(client, legal_entity="GS-FR") == []
    january, _, march, april, _ = (await client.got(PERIODS, legal_entity="GS-DE"))["items"]
    assert (january["closed_with"], january["closed_by"], january["reason"]) == (
        "2026-02-01",
        "operator",
        "end of 2026-02",
    )
    assert (march["closed_with"], march["closed_at"]) == ("2026-03-01", "2026-05-10T09:00:00Z")
    assert [april[name] for name in ("closed_with", "closed_by", "reason", "closed_at")] == [None] * 4


async def test_a_month_that_is_closed_before_anything_was_posted_is_listed(client: Client) -> None:
    await client.create("/v1/ledger/GS-FR/periods/2026-03:close", {"reason": "nothing was sold"})
    months = [("GS-FR", "2026-03", "closed"), ("GS-FR", "2026-04", "open"), ("GS-FR", "2026-05", "open")]
    assert await list_months(client) == months


@pytest.mark.parametrize(
    "text", ["GS-DE/2026-03-01", "text:", "text:GS-DE", "text:GS-DE/2026-13-01", "text:GS-DE/\0", "text:ä/2026-03-01"]
)
async def test_a_cursor_that_no_list_of_codes_gave_out_is_refused(client: Client, text: str) -> None:
    mark = sha256(repr((PERIODS, [])).encode()).hexdigest()[:16]
    for written in (text, f"{text} {mark}" if text != "text:GS-DE/2026-03-01" else text):
        answer = await client.get(PERIODS, after=base64.urlsafe_b64encode(written.encode()).decode())
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


async def test_a_cursor_of_codes_is_taken_only_as_it_was_written(client: Client) -> None:
    mark = sha256(repr((PERIODS, [])).encode()).hexdigest()[:16]
    cursor = base64.urlsafe_b64encode(f"text:GS-DE/2026-03-01 {mark}".encode()).decode()
    assert (await client.get(PERIODS, after=cursor)).status_code == 200
    for changed in (f"!{cursor}", f"{cursor}="):
        assert (await client.get(PERIODS, after=changed)).json()["code"] == "bad_cursor"
