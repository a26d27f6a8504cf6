"""Words of people go: of closed cases after a period, of a person when they are erased; all facts stay."""

from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.pure.bounces import build_envelope_sender, create_mail_secret
from tests.builders import Database, sweep, work
from tests.component.case_mails import MailDesk, bounce, opened_desk, reply
from tests.component.vendor_support import CHANNEL

MARK, KEPT_MARK = "quittengelee", "mirabellen"
STRANGER = f"{MARK}@elsewhere.example"
COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'escalation' AND t.table_type = 'BASE TABLE'
    AND c.data_type IN ('text', 'jsonb', 'bytea', 'tsvector', 'ARRAY', 'character varying')
"""
WORDS_IN_AUDIT = """
SELECT count(*) FROM escalation.audit_entries
WHERE lower(concat(before, after, personal - 'reason', object_id)) LIKE $1
"""


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[MailDesk]:
    async with opened_desk(database, keys, jwks_file) as opened:
        yield opened


async def find_tables(desk: MailDesk, mark: str) -> set[str]:
    """Find the tables of escalation that have this mark anywhere."""
    tables = set()
    for column in await desk.database.rows(COLUMNS):
        table, name = column["table_name"], column["column_name"]
        form = f"encode({name}, 'escape')" if column["data_type"] == "bytea" else f"{name}::text"
        query = f"SELECT EXISTS (SELECT FROM escalation.{table} WHERE lower({form}) LIKE '%{mark}%')"
        if await desk.database.value(query):
            tables.add(table)
    return tables


async def upload(desk: MailDesk, case_id: str, mark: str) -> str:
    headers = desk.client.headers | {"content-type": "application/octet-stream", "idempotency-key": str(uuid4())}
    path = f"/v1/cases/{case_id}/attachments?name={mark}.txt"
    answer = await desk.client.http.post(path, content=f"the {mark}".encode(), headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def answer_mail(desk: MailDesk, mail: EmailMessage, mark: str) -> None:
    answer = reply(mail, f"No {mark} for us.", subject=f"Re: {mark}")
    answer.add_attachment(f"list of {mark}", filename=f"{mark}-list.txt")
    assert (await desk.hand_over(answer))["state"] == "joined"


async def converse(desk: MailDesk, mark: str) -> tuple[str, str]:
    """Let a case have words of all kinds; its id, and that of a file."""
    case_id = await desk.open(f"Where is the {mark}?", description=f"{mark} was ordered")
    await desk.do(case_id, "start")
    await desk.write(case_id, f"The {mark} is on its way.")
    mails = await desk.send()
    await answer_mail(desk, mails[-1], mark)
    entries = await desk.entries(case_id)
    await desk.client.create(f"/v1/cases/{case_id}:read", {"last_entry_id": entries[-1]["id"]})
    await desk.client.create(f"/v1/cases/{case_id}/notes", {"content": f"they like {mark}"})
    file_id = await upload(desk, case_id, mark)
    answer = await desk.client.http.patch(
        f"/v1/cases/{case_id}", json={"subject": f"The {mark} is late"}, headers=desk.client.headers | {"if-match": "*"}
    )
    assert answer.status_code == 200, answer.text
    other_id = await desk.open(f"{mark} again")
    await desk.do(other_id, "merge", into_case_id=case_id)
    return case_id, file_id


DISPUTED = """
INSERT INTO escalation.disputes (id, case_id, account_id, invoice_id, currency, lines, total_minor, state,
    requested_at, ended_at, comment, ended_reason)
SELECT $1, id, account_id, $1, 'EUR', '[]', 1, 'rejected', opened_at, opened_at, $2, $2 FROM escalation.cases
WHERE id::text = $3
"""


async def finish(desk: MailDesk, case_id: str, mark: str) -> None:
    """Let a case have a dispute, and close it."""
    await desk.database.rows(DISPUTED, uuid4(), f"{mark} was not ordered", case_id)
    await close(desk, case_id, mark)


async def close(desk: MailDesk, case_id: str, mark: str) -> None:
    """Let a case have its outcome, tell it, and close the case."""
    await desk.do(case_id, "resolve", outcome=f"the {mark} was found")
    contact = {"channel": "phone", "about_outcome": True, "comment": f"told them of the {mark}"}
    await desk.client.create(f"/v1/cases/{case_id}/contacts", contact)
    await desk.do(case_id, "close")


async def ask_credit(desk: MailDesk, mark: str) -> None:
    """Ask for a service credit, whose case is closed then."""
    credit = {"account_id": desk.account_id, "type_code": "duplicate_order", "counts_since": "2026-03-01"}
    money = {"currency": "EUR", "expected_minor": 100, "description": f"{mark} was ordered twice"}
    credited = await desk.client.create("/v1/service-credits", credit | money)
    path = f"/v1/service-credits/{credited['id']}"
    await desk.client.create(f"{path}/evidence", {"code": "order", "content": f"the {mark}"})
    await desk.client.create(f"{path}:withdraw", {"reason": f"the {mark} is used"})
    await close(desk, credited["case_id"], mark)


async def ask_vendor(desk: MailDesk, mark: str) -> None:
    """Ask the vendor in a case that is closed then."""
    put = await desk.client.http.put("/v1/vendor-channels/GS-DE", json=CHANNEL, headers=desk.client.headers)
    assert put.status_code == 200
    case_id = await desk.open(f"{mark} was stolen", kind="fraud")
    ticket = {"title": f"{mark} was stolen", "description": f"no {mark} is left"}
    made = await desk.client.create(f"/v1/cases/{case_id}/vendor-tickets", ticket)
    await desk.client.create(f"/v1/vendor-tickets/{made['id']}:submit", {"number": "17"})
    await desk.client.create(f"/v1/vendor-tickets/{made['id']}/notes", {"content": f"still no {mark}"})
    await desk.client.create(f"/v1/vendor-tickets/{made['id']}:record-status", {"status": "closed"})
    solution = {"solved": True, "reason": f"{mark} is back"}
    await desk.client.create(f"/v1/vendor-tickets/{made['id']}:confirm-solution", solution)
    await finish(desk, case_id, mark)


def write_as_stranger() -> EmailMessage:
    mail = EmailMessage()
    mail["from"], mail["to"], mail["subject"] = STRANGER, "support@reseller.example", f"{MARK} for sale"
    mail["message-id"] = f"<{uuid4()}@elsewhere.example>"
    mail.set_content(f"Buy our {MARK}.")
    return mail


FACTS = ("id", "kind", "audience", "actor", "channel", "about_outcome", "entered_at")


async def list_facts(desk: MailDesk, case_id: str) -> list[dict[str, Any]]:
    return [{name: entry[name] for name in FACTS} for entry in await desk.entries(case_id)]


async def pass_days(desk: MailDesk, days: int) -> None:
    await desk.database.move(desk.database.now + timedelta(days=days))
    await sweep(desk.runtime)


async def test_words_of_closed_cases_go_after_their_period_and_facts_stay(desk: MailDesk) -> None:
    await desk.add_person()
    open_id, _ = await converse(desk, KEPT_MARK)
    kept = await find_tables(desk, KEPT_MARK)
    closed_id, file_id = await converse(desk, MARK)
    await finish(desk, closed_id, MARK)
    await ask_vendor(desk, MARK)
    await ask_credit(desk, MARK)
    await desk.hand_over(write_as_stranger())
    (sent, *_) = await desk.send()
    await desk.hand_over(bounce(sent, build_envelope_sender("support@reseller.example", create_mail_secret())))
    facts, loop = (
        await list_facts(desk, closed_id),
        await desk.database.rows("SELECT * FROM escalation.audit_cases ORDER BY case_id"),
    )
    before = await find_tables(desk, MARK)
    assert before >= {"cases", "entries", "case_words", "inbound_mails", "attachments", "attachment_chunks", "disputes"}
    assert before >= {"audit_entries", "vendor_tickets", "ticket_notes", "service_credits"}

    await pass_days(desk, 1094)
    assert await find_tables(desk, MARK) >= before
    assert await desk.database.value("SELECT count(*) FROM escalation.other_bounces") == 0
    await pass_days(desk, 2)
    assert await find_tables(desk, MARK) == {"audit_entries"}
    assert await desk.database.value(WORDS_IN_AUDIT, f"%{MARK}%") == 0, "reasons of people stay, and nothing else"
    assert await find_tables(desk, KEPT_MARK) == kept, "what is open is not touched"

    case = await desk.client.got(f"/v1/cases/{closed_id}")
    assert (case["state"], case["subject"], case["outcome"]) == ("closed", "removed", "removed")
    assert case["words_removed_at"] is not None
    assert await list_facts(desk, closed_id) == facts
    assert await desk.database.rows("SELECT * FROM escalation.audit_cases ORDER BY case_id") == loop
    (file, *_) = (await desk.client.got(f"/v1/cases/{closed_id}/attachments"))["items"]
    assert (file["name"], file["media_type"], len(file["sha256"])) == ("", "text/plain", 64)
    gone = await desk.client.get(f"/v1/attachments/{file_id}/content")
    assert (gone.status_code, gone.json()["code"]) == (410, "content_removed")
    assert (await desk.client.got("/v1/case-search", words=MARK))["items"] == []
    assert (await desk.client.got(f"/v1/cases/{open_id}"))["words_removed_at"] is None


async def test_the_period_counts_from_the_last_words_and_a_shorter_one_for_all(desk: MailDesk) -> None:
    case_id, reopened_id, read_later_id = [await desk.open(f"{MARK} {number}") for number in range(3)]
    for closed_id in (case_id, reopened_id, read_later_id):
        await finish(desk, closed_id, MARK)
    await desk.database.move(desk.database.now + timedelta(days=20))
    await desk.do(reopened_id, "reopen")
    await desk.client.create(f"/v1/cases/{case_id}/notes", {"content": f"{MARK}: they called once more"})
    await desk.database.execute(f"UPDATE escalation.cases SET unread_answers = 1 WHERE id = '{read_later_id}'")

    async def set_period(days: int) -> int:
        body = {"days": days, "reason": "as our policy says"}
        answer = await desk.client.http.put("/v1/retention-period", json=body, headers=desk.client.headers)
        return answer.status_code

    async def list_removed() -> list[str]:
        query = "SELECT id::text FROM escalation.cases WHERE words_removed_at IS NOT NULL"
        return [row["id"] for row in await desk.database.rows(query)]

    assert (await desk.client.got("/v1/retention-period"))["days"] == 1095
    assert [await set_period(days) for days in (30, 31)] == [422, 200]
    (entry,) = (await desk.client.got("/v1/audit-entries", action="retention_period.set"))["items"]
    assert (entry["before"]["days"], entry["after"]["days"]) == (1095, 31)
    await pass_days(desk, 30)
    assert await list_removed() == []
    await pass_days(desk, 2)
    assert await list_removed() == [case_id]
    await desk.client.create(f"/v1/cases/{case_id}/notes", {"content": f"{MARK}: and once more"})
    await pass_days(desk, 32)
    assert not (await desk.entries(case_id, kind="note"))[-1]["content"], "what is written later goes later"


async def test_the_service_empties_entries_and_changes_nothing_else(desk: MailDesk) -> None:
    await desk.open(MARK)
    await desk.client.create(f"/v1/cases/{await desk.open()}/notes", {"content": MARK})
    async with desk.database.connected("escalation") as connection:
        for change in (
            "content = 'other'",
            "content = '', removed_at = now(), details = '{\"from\": \"new\"}'",
            "actor = 'somebody'",
            "entered_at = now()",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"UPDATE escalation.entries SET {change}")
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE escalation.entries SET removed_at = now(), content = 'x'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE escalation.attachment_chunks SET content = ''")


async def hand_to_vendor(desk: MailDesk, case_id: str) -> None:
    """Hand what the customer wrote in a case over to the vendor."""
    put = await desk.client.http.put("/v1/vendor-channels/GS-DE", json=CHANNEL, headers=desk.client.headers)
    assert put.status_code == 200
    ticket = {"title": "Seats", "description": "How many are there?", "no_line_reason": "terms"}
    ticket_entries = {"entry_ids": [entry["id"] for entry in await desk.entries(case_id, kind="mail_in")]}
    made = await desk.client.create(f"/v1/cases/{case_id}/vendor-tickets", ticket | ticket_entries)
    await desk.client.create(f"/v1/vendor-tickets/{made['id']}:submit", {"number": "17"})


async def check_export(desk: MailDesk, path: str) -> None:
    """Check what a person is shown in two pages, with the mail that came from an address of theirs."""
    first = await desk.client.got(f"{path}/correspondence", limit=1, address=STRANGER.upper())
    rest = await desk.client.got(f"{path}/correspondence", after=first["next"], limit=5, address=STRANGER.upper())
    exported = first["items"] + rest["items"]
    assert [(mail["direction"], MARK in mail["content"].lower()) for mail in exported] == [
        ("out", True),
        ("in", True),
        ("in", True),
    ]
    assert [len(mail["attachment_ids"]) for mail in exported] == [0, 1, 0]


async def check_nothing_returns(desk: MailDesk, mail: EmailMessage, taken: dict[str, Any]) -> None:
    """Check that an erased mail brings nothing back when it comes again, and that nobody handles it any more."""
    assert await desk.hand_over(mail, key="again") == await desk.hand_over(mail) == taken
    assert await find_tables(desk, MARK) == set(), "the same mail brings nothing back"
    discarding = await desk.refuse(f"/v1/inbound-mails/{taken['id']}:discard", {"reason": "nobody's"})
    assert discarding == (409, "move_refused")


async def test_a_contact_person_is_exported_and_erased_from_threads(desk: MailDesk) -> None:
    other_id = await desk.add_person(role="technical", email="jan@alpenrose.example", name="Jan Alpenrose")
    person_id = await desk.add_person()
    case_id = await desk.open()
    await desk.write(case_id, f"The {MARK} is here.", contact_person_id=person_id)
    await desk.write(case_id, f"The {KEPT_MARK} are here.", contact_person_id=other_id)
    for mail in await desk.send():
        await answer_mail(desk, mail, MARK if str(mail["to"]).startswith("ines") else KEPT_MARK)
    await hand_to_vendor(desk, case_id)
    strange = write_as_stranger()
    taken = await desk.hand_over(strange)
    kept, entries = await find_tables(desk, KEPT_MARK), await list_facts(desk, case_id)
    written_in = {"entries", "inbound_mails", "attachments", "attachment_chunks", "vendor_tickets"}
    assert await find_tables(desk, MARK) >= written_in

    path = f"/v1/contact-persons/{person_id}"
    await check_export(desk, path)
    message = {"content": f"More {MARK} comes.", "about_outcome": False, "contact_person_id": person_id}
    written = [await desk.client.post(f"/v1/cases/{case_id}/messages", message, key="a") for _ in range(2)]
    assert written[0].content == written[1].content
    assert await desk.client.create(f"{path}:erase", {"reason": "asked for"}) == {"mails": 3, "is_complete": True}
    repeated = await desk.client.post(f"/v1/cases/{case_id}/messages", message, key="a")
    assert (repeated.status_code, repeated.json()["code"]) == (410, "answer_removed"), "it is not done once more"
    sent = len(desk.hop.taken)
    await work(desk.runtime)
    assert len(desk.hop.taken) == sent, "what was not sent yet is not sent any more"
    assert await find_tables(desk, MARK) == {"inbound_mails"}, "only the stranger's mail"
    assert await desk.client.create("/v1/correspondents:erase", {"reason": "asked for", "addresses": [STRANGER]}) == {
        "mails": 1,
        "is_complete": True,
    }
    assert await find_tables(desk, MARK) == set()
    assert await find_tables(desk, KEPT_MARK) == kept
    assert (await list_facts(desk, case_id))[: len(entries)] == entries
    refused = [entry["id"] for entry in await desk.entries(case_id, kind="mail_out") if entry["removed_at"]]
    assert await desk.refuse(f"/v1/cases/{case_id}/messages/{refused[-1]}:resend", {}) == (409, "move_refused")
    await check_nothing_returns(desk, strange, taken)
    actions = [entry["action"] for entry in (await desk.client.got("/v1/audit-entries"))["items"]]
    assert actions[-2:] == ["contact_person.erase", "correspondent.erase"]
