"""Requests to a distributor go by mail with their evidence, and the answers come back for the vendor's audience."""

import io
import zipfile
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database
from tests.component.case_mails import MailDesk, bounce, opened_desk, reply
from tests.component.vendor_support import CHANNEL

DISTRIBUTOR = "support@distributor.example"
BY_MAIL = CHANNEL | {"kind": "distributor", "distributor_email": DISTRIBUTOR}


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[MailDesk]:
    async with opened_desk(database, keys, jwks_file) as opened:
        await set_channel(opened, BY_MAIL)
        yield opened


async def set_channel(desk: MailDesk, channel: dict[str, Any]) -> None:
    """Say how the legal entity of the desk reaches the vendor."""
    answer = await desk.client.http.put("/v1/vendor-channels/GS-DE", json=channel, headers=desk.client.headers)
    assert answer.status_code == 200, answer.text


async def prepare(desk: MailDesk, **more: Any) -> tuple[str, str]:
    """Prepare a request about fraud, which goes at once; the ids of its case and of the ticket."""
    case_id = await desk.open("Somebody orders in their name", kind="fraud")
    body = {"title": "Orders by a stranger", "description": "Forty seats were ordered at night."}
    ticket = await desk.client.create(f"/v1/cases/{case_id}/vendor-tickets", body | more)
    return case_id, ticket["id"]


async def send(desk: MailDesk, ticket_id: str) -> EmailMessage:
    """Send a request; the mail that the hop has taken last."""
    await desk.client.create(f"/v1/vendor-tickets/{ticket_id}:send")
    return (await desk.send())[-1]


async def read_mails(desk: MailDesk, ticket_id: str) -> list[tuple[str, str | None]]:
    """Read what became of the mails of a ticket."""
    mails = (await desk.client.got(f"/v1/vendor-tickets/{ticket_id}"))["mails"]
    return [(mail["state"], mail["code"]) for mail in mails]


async def test_a_request_goes_by_mail_and_the_answer_is_the_vendor_s(desk: MailDesk) -> None:
    case_id, ticket_id = await prepare(desk)
    mail = await send(desk, ticket_id)
    assert (mail["To"], mail["Subject"]) == (DISTRIBUTOR, "Orders by a stranger")
    ticket = await desk.client.got(f"/v1/vendor-tickets/{ticket_id}")
    body, pack = mail.iter_parts()
    assert "desk@goodstanding.example" in body.get_content()
    assert "Forty seats" in body.get_content()
    assert "billing@account-17.example" not in mail.as_string()
    archive = zipfile.ZipFile(io.BytesIO(pack.get_content()))
    assert archive.read("request.txt").decode() == ticket["text"]
    assert (await read_mails(desk, ticket_id), ticket["status"]) == ([("delivered", None)], "prepared")
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["state"] == "waiting_for_vendor"
    assert await desk.refuse(f"/v1/vendor-tickets/{ticket_id}:send", {}) == (409, "move_refused")

    await check_answers(desk, case_id, mail)
    await desk.client.create(f"/v1/vendor-tickets/{ticket_id}:submit", {"number": "D-4711"})
    await desk.client.create(f"/v1/vendor-tickets/{ticket_id}/notes", {"content": "We wait."})
    note = (await desk.send())[-1]
    assert (note.get_content().strip(), note["Subject"]) == ("We wait.", "Re: Orders by a stranger")
    assert note["In-Reply-To"] == "<other@distributor.example>", "what joined last"
    assert note["Reply-To"] != mail["Reply-To"]
    await desk.hand_over(reply(note, "It is solved."))
    assert (await desk.client.got(f"/v1/vendor-tickets/{ticket_id}"))["answered_at"] is not None


async def check_answers(desk: MailDesk, case_id: str, mail: EmailMessage) -> None:
    """Check that the distributor's answer is a note for the vendor, and that of others waits for a person."""
    stranger = await desk.hand_over(
        reply(mail, "Pay me.", From="other@distributor.example", Message_ID="<other@distributor.example>")
    )
    assert stranger["state"] == "triage"
    away = reply(mail, "I am away.", Message_ID="<away@distributor.example>", Auto_Submitted="auto-replied")
    assert (await desk.hand_over(away))["state"] == "automatic"
    assert {entry["kind"] for entry in await desk.entries(case_id, audience="customer")} == set()
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["state"] == "waiting_for_vendor"
    answer = reply(mail, "It is number D-4711.", Message_ID="<answer@distributor.example>")
    assert (await desk.hand_over(answer))["state"] == "joined"
    entries = [entry for entry in await desk.entries(case_id) if entry["kind"] == "vendor_note"]
    assert [(entry["audience"], entry["actor"], entry["content"].strip()) for entry in entries] == [
        ("vendor", None, "It is number D-4711.")
    ]
    case = await desk.client.got(f"/v1/cases/{case_id}")
    assert (case["state"], case["unread_answers"]) == ("in_progress", 0)
    joined = await desk.client.create(
        f"/v1/inbound-mails/{stranger['id']}:join", {"case_id": case_id, "reason": "their other mailbox"}
    )
    assert joined["state"] == "joined"
    assert {entry["kind"] for entry in await desk.entries(case_id, audience="customer")} == set()
    await desk.write(case_id)
    to_customer = (await desk.send())[-1]
    assert to_customer["In-Reply-To"] is None, "the customer sees nothing of the distributor"


async def test_what_does_not_arrive_is_shown_and_sent_again(desk: MailDesk) -> None:
    case_id, ticket_id = await prepare(desk)
    desk.hop.answer = "550 no such mailbox"
    await desk.client.create(f"/v1/vendor-tickets/{ticket_id}:send")
    await desk.send()
    assert await read_mails(desk, ticket_id) == [("refused", "550")]
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["state"] == "new"
    desk.hop.answer = "250 OK"
    mail = await send(desk, ticket_id)
    (secret,) = [part.split("@")[0] for part in [str(mail["Message-ID"]).split(".", 1)[1]]]
    support = str(mail["Reply-To"]).split("+")[0]
    domain = str(mail["Reply-To"]).split("@")[1]
    await desk.hand_over(bounce(mail, f"{support}+bounce-{secret}@{domain}"))
    assert await read_mails(desk, ticket_id) == [("refused", "550"), ("bounced", "5.1.1")]
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["state"] == "in_progress"
    assert await desk.tasks() == [f"ticket_mail:{ticket_id}"]
    assert await desk.events("MailBounced") == []


async def test_who_has_no_distributor_sends_nothing_and_what_leaves_is_searched(desk: MailDesk) -> None:
    stopped = await desk.client.post(
        f"/v1/cases/{await desk.open(kind='fraud')}/vendor-tickets",
        {"title": "Call 030/901820", "description": "At once."},
    )
    assert (stopped.status_code, stopped.json()["code"]) == (409, "contact_details_undecided")
    await set_channel(desk, CHANNEL)
    _, ticket_id = await prepare(desk)
    assert await desk.refuse(f"/v1/vendor-tickets/{ticket_id}:send", {}) == (409, "not_by_mail")
    assert (await desk.client.post(f"/v1/vendor-tickets/{uuid4()}:send")).status_code == 404
    assert await desk.send() == []
