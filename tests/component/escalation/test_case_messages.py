"""Messages to customers: sent as mail from a case, in their language, with what became of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database
from tests.component.case_mails import MailDesk, opened_desk


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[MailDesk]:
    async with opened_desk(database, keys, jwks_file) as opened:
        yield opened


async def test_a_message_reaches_the_customer_in_their_language_and_is_a_contact(desk: MailDesk) -> None:
    await desk.add_person()
    case_id = await desk.open("Warum zwölf Plätze?")
    await desk.client.create(f"/v1/cases/{case_id}/notes", {"content": "they are late payers"})
    queued = await desk.write(case_id, "Es ist die Einrichtung.\n\nFrom here on it is quoted.")
    assert (queued["kind"], queued["audience"], queued["mail"]["state"]) == ("mail_out", "customer", "queued")
    assert await desk.events("CustomerContacted") == []
    (mail,) = await desk.send()
    number = (await desk.client.got(f"/v1/cases/{case_id}"))["number"]
    assert (mail["To"], mail["Subject"]) == ("ines@alpenrose.example", f"[Fall {number}] Warum zwölf Plätze?")
    text = mail.get_content().replace("\r\n", "\n")
    assert text.startswith("Guten Tag Ines Alpenrose,\n\nEs ist die Einrichtung.\n")
    assert "late payers" not in text
    assert mail["Auto-Submitted"] is None
    assert queued["id"] in mail["Message-ID"]
    reply_token = mail["Reply-To"].addresses[0].username.removeprefix("support+")
    (sender,) = desk.hop.senders
    secret = sender.removeprefix("support+bounce-").partition("@")[0]
    assert len({reply_token, secret}) == 2
    assert {len(bytes.fromhex(reply_token)), len(bytes.fromhex(secret))} == {16}
    assert secret in mail["Message-ID"]
    (entry,) = await desk.entries(case_id, kind="mail_out")
    assert (entry["mail"]["state"], entry["mail"]["code"]) == ("delivered", None)
    (contact,) = (await desk.client.got(f"/v1/cases/{case_id}/contacts"))["items"]
    assert (contact["id"], contact["channel"], contact["about_outcome"]) == (entry["id"], "email", False)
    (event,) = await desk.events("CustomerContacted")
    assert entry["id"] in event
    assert "Einrichtung" not in event
    clocks = (await desk.client.got(f"/v1/cases/{case_id}/clocks"))["clocks"]
    assert [clock["stopped_at"] is not None for clock in clocks if clock["which"] == "first"] == [True]
    desk.door.shut = True
    await desk.write(case_id, "And one more.")
    assert len(await desk.send()) == 1
    desk.door.shut = False
    await desk.database.move(minutes=2)
    assert (await desk.send())[1]["Reply-To"] == mail["Reply-To"]


async def test_only_a_delivered_message_about_the_outcome_closes_the_loop(desk: MailDesk) -> None:
    case_id = await desk.open()
    path = f"/v1/cases/{case_id}/messages"
    message = {"content": "It is the set-up charge.", "about_outcome": True}
    assert await desk.refuse(path, message) == (409, "outcome_unknown")
    await desk.write(case_id)
    await desk.do(case_id, "resolve", outcome="it is the set-up charge")
    await desk.send()
    assert await desk.refuse(f"/v1/cases/{case_id}:close", {"reason": "done"}) == (409, "customer_not_told")
    await desk.write(case_id, about_outcome=True)
    assert await desk.refuse(f"/v1/cases/{case_id}:close", {"reason": "done"}) == (409, "customer_not_told")
    await desk.do(case_id, "reopen")
    await desk.do(case_id, "resolve", outcome="it is credited")
    await desk.send()
    assert '"about_outcome":false' in (await desk.events("CustomerContacted"))[-1]
    assert await desk.refuse(f"/v1/cases/{case_id}:close", {"reason": "done"}) == (409, "customer_not_told")
    await desk.write(case_id, "It is credited.", about_outcome=True)
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["inform_by"] is not None
    await desk.send()
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["inform_by"] is None
    assert (await desk.do(case_id, "close"))["state"] == "closed"
    audit = "SELECT informed_sequence > outcome_sequence FROM escalation.audit_cases WHERE case_id = $1::text::uuid"
    assert await desk.database.value(audit, case_id)


async def test_a_refused_message_is_a_task_and_no_contact(desk: MailDesk) -> None:
    case_id = await desk.open()
    desk.hop.recipient_answer = "550 no such mailbox"
    await desk.write(case_id)
    await desk.send()
    (entry,) = await desk.entries(case_id, kind="mail_out")
    assert (entry["mail"]["state"], entry["mail"]["code"]) == ("refused", "550")
    assert (await desk.client.got(f"/v1/cases/{case_id}/contacts"))["items"] == []
    assert await desk.events("CustomerContacted") == []
    assert await desk.tasks() == [f"mail_refused:{case_id}"]
    desk.hop.recipient_answer = "250 ok"
    again = f"/v1/cases/{case_id}/messages/{entry['id']}:resend"
    assert await desk.refuse(again.replace(case_id, await desk.open("another")), {}) == (404, "not_found")
    resent = await desk.client.create(again, {})
    assert (resent["content"], resent["mail"]["state"]) == (entry["content"], "queued")
    assert len(await desk.send()) == 1
    assert await desk.refuse(again.replace(entry["id"], resent["id"]), {}) == (409, "move_refused")
    gone = await desk.add_person(valid_to="2026-03-02")
    await desk.write(case_id, contact_person_id=gone)
    assert len(await desk.send()) == 1, "nothing beside what was sent again"
    assert [entry["mail"]["state"] for entry in await desk.entries(case_id, kind="mail_out")] == [
        "refused",
        "delivered",
        "refused",
    ]
    other_id = await desk.open("the same again")
    await desk.do(other_id, "merge", into_case_id=case_id)
    message = {"content": "Hello", "about_outcome": False}
    assert await desk.refuse(f"/v1/cases/{other_id}/messages", message) == (409, "move_refused")
    nobodys = await desk.open("whose is this?", account_id=None)
    assert await desk.refuse(f"/v1/cases/{nobodys}/messages", message) == (409, "no_customer")
