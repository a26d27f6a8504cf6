"""Requests to the vendor by the book: what must be done before, what may not leave, and who submits them."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from services.escalation.use_cases import ticket_files, ticket_readings
from services.escalation.use_cases.ticket_readings import TicketReading, record_ticket_reading
from shared.process.intents import Intent, RecordingOutcome
from shared.process.runtime import Runtime
from tests.builders import START, Database
from tests.component.vendor_support import ACCOUNT, CHANNEL, NUMBER, Support, running_support


@pytest.fixture
async def support(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Support]:
    async with running_support(database, keys, jwks_file) as world:
        yield world


def name_missing(answer: Any) -> list[str]:
    assert (answer.status_code, answer.json()["code"]) == (409, "handover_incomplete"), answer.text
    return [missing["code"] for missing in answer.json()["missing"]]


async def test_each_condition_of_a_technical_case_is_named_until_it_is_met(support: Support) -> None:
    case_id = await support.open()
    asked = await support.prepare(case_id, category=None)
    assert name_missing(asked) == ["health_check", "attempt", "consulted_resource", "category"]
    path = f"/v1/cases/{case_id}"
    await support.client.create(f"{path}/attempts", {"action": "waited", "result": "helped"})
    await support.client.create(f"{path}/health-checks", {"result": "incident", "incident": "EX25194"})
    assert name_missing(await support.prepare(case_id)) == ["incident_end", "attempt", "consulted_resource"]
    shown = await support.client.got(f"{path}/handover", category="bug")
    assert [missing["code"] for missing in shown["missing"]] == ["incident_end", "attempt", "consulted_resource"]
    await support.client.create(f"{path}/health-checks", {"result": "incident_over", "incident": "EX25194"})
    await support.client.create(f"{path}/attempts", {"action": "waited again", "result": "did_not_help"})
    assert name_missing(await support.prepare(case_id)) == ["consulted_resource"]
    await support.get_ready(case_id)
    answer = await support.prepare(case_id)
    assert answer.status_code == 201, answer.text
    ticket = answer.json()
    assert (ticket["status"], ticket["number"], ticket["severity"], ticket["language"]) == ("prepared", None, "B", "en")
    assert ticket["contact"]["email"] == CHANNEL["contact_email"]
    assert "service health: no_incident\nattempts of our own: 2\nresources consulted: 1\n" in ticket["text"]
    unnamed = await support.client.post(f"{path}/health-checks", {"result": "incident"})
    assert unnamed.status_code == 422


async def test_who_has_the_right_overrides_what_is_missing_then_with_a_reason(
    support: Support, keys: SigningKeyPair
) -> None:
    case_id = await support.open()
    path = f"/v1/cases/{case_id}/handover:override"
    token = keys.token("escalation", "escalation:read escalation:write", "anna")
    body = {"reason": "the whole town is down"}
    headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4())}
    refused = await support.client.http.post(path, json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert (await support.client.post(path, {})).status_code == 422
    waived = await support.client.create(path, body)
    assert waived["missing"] == []
    assert waived["waived"] == ["health_check", "attempt", "consulted_resource", "category"]
    ticket = (await support.prepare(case_id)).json()
    assert ticket["waived"] == ["health_check", "attempt", "consulted_resource"], "the category was given"
    await support.client.create(f"/v1/cases/{case_id}/health-checks", {"result": "incident", "incident": "EX1"})
    assert name_missing(await support.prepare(case_id)) == ["incident_end"], "what is missing later is not waived"
    page = await support.client.got(f"/v1/cases/{case_id}/entries", kind="override")
    assert [entry["content"] for entry in page["items"]] == ["the whole town is down"]


async def test_a_billing_case_carries_our_line_or_says_why_there_is_none_and_fraud_goes_at_once(
    support: Support,
) -> None:
    case_id = await support.open(kind="billing_question", severity=None)
    assert name_missing(await support.prepare(case_id)) == ["compared_line"]
    without_line = (await support.prepare(case_id, no_line_reason="price_list")).json()
    assert "There is no line of ours: price_list" in without_line["text"]
    assert (without_line["severity"], without_line["category"]) == (None, None)
    link = {"kind": "vendor_difference", "target_id": support.differences.add()}
    await support.client.create(f"/v1/cases/{case_id}/links", {"links": [link]})
    with_line = (await support.prepare(case_id)).json()
    assert "new 2026-03-01 to 2026-03-31: you bill 12096, we expect 10080 (EUR, minor units)" in with_line["text"]
    support.differences.shown.clear()
    away = await support.prepare(case_id)
    assert (away.status_code, away.json()["code"]) == (503, "unavailable")
    fraud = await support.open(kind="fraud", severity=None)
    assert (await support.prepare(fraud)).status_code == 201
    task = await support.open(kind="task", severity=None, account_id=None)
    lost = await support.prepare(task, no_line_reason="terms")
    assert (lost.status_code, lost.json()["code"]) == (409, "vendor_channel_missing")
    assert (await support.prepare(task, no_line_reason="terms", legal_entity="GS-DE")).status_code == 201


SPELLINGS = ["+49 30 901820", "030/901820", "(030) 90 18 20", "anna.müller@bücher.example", "anna at example.org"]


async def check_stopped(support: Support, case_id: str, detail: str) -> None:
    """Check that a contact detail is stopped wherever a person writes it."""
    for place in ("title", "description", "product"):
        answer = await support.prepare(case_id, **{place: f"Mail of {detail} waits"})
        assert (answer.status_code, answer.json()["code"]) == (409, "contact_details_undecided"), detail
        (detail_shown,) = answer.json()["details"]
        assert (detail_shown["place"], detail_shown["content"]) == (place, detail)


async def test_addresses_and_numbers_are_stopped_wherever_they_stand(support: Support) -> None:
    case_id = await support.open()
    await support.get_ready(case_id)
    contact = {"channel": "phone", "about_outcome": False}
    entries = [
        (await support.client.create(f"/v1/cases/{case_id}/contacts", contact | {"comment": f"ring {detail} again"}))[
            "id"
        ]
        for detail in SPELLINGS
    ]
    for detail in SPELLINGS:
        await check_stopped(support, case_id, detail)
    stopped = (await support.prepare(case_id, entry_ids=entries)).json()
    assert [(shown["place"], shown["content"]) for shown in stopped["details"]] == [
        (f"entry {entry_id}", detail) for entry_id, detail in zip(entries, SPELLINGS, strict=True)
    ]
    choices = ["remove", "remove", "let_through", "remove", "remove"]
    decisions = [
        {"content": detail, "choice": choice, "reason": "as agreed"}
        for detail, choice in zip(SPELLINGS, choices, strict=True)
    ]
    title = "Mail of 030/901820 waits"
    answer = await support.prepare(case_id, title=title, entry_ids=entries, decisions=decisions)
    assert answer.status_code == 201, answer.text
    ticket = answer.json()
    assert ticket["title"] == "Mail of [removed] waits"
    assert [decision["place"] for decision in ticket["decisions"]] == [
        "title",
        *(f"entry {entry_id}" for entry_id in entries),
    ]
    packed = await support.client.get(f"/v1/vendor-tickets/{ticket['id']}/evidence-pack")
    assert packed.headers["content-type"] == "application/octet-stream"
    archive = zipfile.ZipFile(io.BytesIO(packed.content))
    assert archive.namelist() == ["request.txt", *(f"entries/{number:03}.txt" for number in range(1, 6))]
    texts = [archive.read(name).decode() for name in archive.namelist()]
    assert [detail for detail in SPELLINGS if any(detail in text for text in texts[1:])] == ["(030) 90 18 20"]
    assert texts[0] == ticket["text"]
    again = await support.client.get(f"/v1/vendor-tickets/{ticket['id']}/evidence-pack")
    assert again.content == packed.content


async def test_internal_entries_and_those_of_other_cases_leave_by_no_door(support: Support) -> None:
    case_id, other = await support.open(), await support.open()
    await support.get_ready(case_id)
    note = await support.client.create(f"/v1/cases/{case_id}/notes", {"content": "they pay late"})
    contact = {"channel": "email", "about_outcome": False, "comment": "we look at it"}
    foreign = await support.client.create(f"/v1/cases/{other}/contacts", contact)
    for entry_id, code in ((note["id"], "entry_internal"), (foreign["id"], "entry_unknown")):
        answer = await support.prepare(case_id, entry_ids=[entry_id])
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    await support.client.create(f"/v1/cases/{other}:merge", {"into_case_id": case_id, "reason": "the same"})
    taken = await support.prepare(case_id, entry_ids=[foreign["id"]])
    assert (taken.status_code, taken.json()["entry_ids"]) == (201, [foreign["id"]])
    gone = await support.prepare(other)
    assert (gone.status_code, gone.json()["code"]) == (409, "move_refused")


async def test_a_number_is_of_one_ticket_and_the_case_waits_for_the_vendor(support: Support) -> None:
    case_id, other = await support.open(), await support.open()
    for ready in (case_id, other):
        await support.get_ready(ready)
    ticket_id = await support.submit(case_id)
    assert await support.state(case_id) == "waiting_for_vendor"
    (opened,) = await support.events("VendorTicket")
    assert opened == {
        "type": "VendorTicketOpened",
        "case_id": case_id,
        "account_id": str(ACCOUNT),
        "ticket_id": ticket_id,
        "number": NUMBER,
        "status": "open",
        "severity": "B",
    }
    second = (await support.prepare(other)).json()["id"]
    taken = await support.client.post(f"/v1/vendor-tickets/{second}:submit", {"number": NUMBER})
    assert (taken.status_code, taken.json()["code"]) == (409, "number_taken")
    assert await support.state(other) == "new"
    await support.client.create(f"/v1/vendor-tickets/{second}:discard", {"reason": "asked in the first one"})
    gone = await support.client.post(f"/v1/vendor-tickets/{second}:submit", {"number": "7"})
    assert (gone.status_code, gone.json()["code"]) == (409, "move_refused")
    listed = {
        name: [ticket["id"] for ticket in (await support.client.got("/v1/vendor-tickets", **query))["items"]]
        for name, query in {
            "all": {},
            "case": {"case_id": case_id},
            "status": {"status": "discarded", "account_id": str(ACCOUNT)},
            "nobody": {"account_id": str(UUID(int=1))},
        }.items()
    }
    assert listed == {"all": [ticket_id, second], "case": [ticket_id], "status": [second], "nobody": []}
    open_now = await support.client.got(f"/v1/accounts/{ACCOUNT}/support")
    assert [ticket["id"] for ticket in open_now["vendor_tickets"]] == [ticket_id]


async def test_a_contract_is_used_up_by_the_tickets_that_name_it(support: Support) -> None:
    case_id = await support.open(kind="fraud", severity=None)
    contract = {
        "reference": "premier-17",
        "kind": "premier_contract",
        "title": "Premier",
        "content": "two requests",
        "language": "en",
        "contract_number": "17",
        "requests_left": 1,
    }
    resource_id = (await support.client.create("/v1/support-resources", contract))["id"]
    await support.submit(case_id, resource_id=resource_id)
    assert (await support.client.got(f"/v1/support-resources/{resource_id}"))["requests_left"] == 0
    ticket_id = (await support.prepare(case_id, resource_id=resource_id)).json()["id"]
    refused = await support.client.post(f"/v1/vendor-tickets/{ticket_id}:submit", {"number": "8"})
    assert (refused.status_code, refused.json()["code"]) == (409, "contract_used_up")
    solution = contract | {"reference": "kb-1", "kind": "solution", "contract_number": None, "requests_left": None}
    other = (await support.client.create("/v1/support-resources", solution))["id"]
    wrong = await support.prepare(case_id, resource_id=other)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "not_a_contract")


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


async def attach(support: Support, case_id: str, name: str, content: bytes, audience: str = "vendor") -> str:
    """Attach a file to a case; its id."""
    answer = await support.client.http.post(
        f"/v1/cases/{case_id}/attachments?name={name}&audience={audience}",
        content=content,
        headers=support.client.headers | {"content-type": "application/octet-stream", "idempotency-key": str(uuid4())},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_files_go_along_once_they_are_searched_or_let_through(support: Support) -> None:
    case_id, other = await support.open(), await support.open()
    await support.get_ready(case_id)
    plain = await attach(support, case_id, "log.txt", b"delivered at 09:12")
    number = await attach(support, case_id, "note.txt", b"ring 030/901820 again")
    picture = await attach(support, case_id, "screen.png", PNG)
    internal = await attach(support, case_id, "margin.txt", b"we earn", audience="internal")
    foreign = await attach(support, other, "other.txt", b"another case")
    for attachment_id, code in ((internal, "file_internal"), (foreign, "file_unknown"), (str(uuid4()), "file_unknown")):
        refused = await support.prepare(case_id, attachment_ids=[attachment_id])
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    stopped = await support.prepare(case_id, attachment_ids=[plain, number, picture])
    assert (stopped.status_code, stopped.json()["code"]) == (409, "contact_details_undecided")
    assert [(detail["place"], detail["content"]) for detail in stopped.json()["details"]] == [
        (f"file {number}: note.txt", "030/901820"),
        (f"file {picture}: screen.png", picture),
    ]
    decision = {"content": "030/901820", "choice": "remove", "reason": "a customer"}
    shown = {"content": picture, "choice": "let_through", "reason": "shows the queue only"}
    kept = await support.prepare(case_id, attachment_ids=[number], decisions=[decision])
    assert (kept.status_code, kept.json()["code"]) == (422, "file_unchanged")
    ticket = (await support.prepare(case_id, attachment_ids=[plain, picture], decisions=[shown])).json()
    pack = await support.client.get(f"/v1/vendor-tickets/{ticket['id']}/evidence-pack")
    with zipfile.ZipFile(io.BytesIO(pack.content)) as archive:
        assert archive.read("files/01-log.txt") == b"delivered at 09:12"
        assert archive.read("files/02-screen.png") == PNG
        assert all(b"we earn" not in archive.read(name) for name in archive.namelist())


async def test_each_file_and_its_name_is_searched_and_a_large_one_is_let_through(support: Support) -> None:
    case_id = await support.open()
    await support.get_ready(case_id)
    first = await attach(support, case_id, "same.txt", b"ring 030/901820 again")
    second = await attach(support, case_id, "same.txt", b"delivered at 09:12")
    named = await attach(support, case_id, "anna@example.org.txt", b"delivered")
    large = await attach(support, case_id, "large.txt", b"delivered\n" * 20_000)
    for chosen, place, content in (
        ([first, second], f"file {first}: same.txt", "030/901820"),
        ([second, first], f"file {first}: same.txt", "030/901820"),
        ([named], f"file {named}: anna@example.org.txt", "anna@example.org.txt"),
        ([large], f"file {large}: large.txt", large),
    ):
        stopped = await support.prepare(case_id, attachment_ids=chosen)
        details = [(detail["place"], detail["content"]) for detail in stopped.json()["details"]]
        assert (stopped.status_code, details) == (409, [(place, content)])


async def test_files_of_a_ticket_are_bounded_together(support: Support, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = await support.open()
    await support.get_ready(case_id)
    files = [await attach(support, case_id, f"{number}.txt", b"x" * 60) for number in range(2)]
    monkeypatch.setattr(ticket_files, "MAX_PACK_BYTES", 100)
    refused = await support.prepare(case_id, attachment_ids=files)
    assert (refused.status_code, refused.json()["code"]) == (422, "files_too_large")
    assert (await support.prepare(case_id, attachment_ids=files[:1])).status_code == 201


async def test_a_mistyped_number_is_corrected_with_its_history(support: Support) -> None:
    case_id, other = await support.open(), await support.open()
    for ready in (case_id, other):
        await support.get_ready(ready)
    ticket_id = await support.submit(case_id, number="61")
    await support.submit(other, number="62")
    path, reason = f"/v1/vendor-tickets/{ticket_id}:set-number", {"reason": "mistyped"}
    for number, code in (("62", "number_taken"), ("61", "move_refused")):
        refused = await support.client.post(path, reason | {"number": number})
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    await support.leave(number="63", status="attention_needed")
    reading = await read_ticket(support.runtime, UUID(ticket_id))
    assert (await support.client.create(path, reason | {"number": "63"}))["number"] == "63"
    intent = Intent(UUID(ticket_id), "read_ticket", ACCOUNT, ticket_id, {}, 1, "", START)
    assert (
        await support.runtime.units.run(lambda unit: record_ticket_reading(unit, intent, reading))
        is RecordingOutcome.RETRY_NOW
    )
    await support.step(minutes=1)
    assert (await support.ticket(ticket_id))["status"] == "attention_needed", "it is read under its number"
    entries = (await support.client.got(f"/v1/cases/{case_id}/entries", kind="change"))["items"]
    corrected = [entry for entry in entries if "number" in entry["details"]]
    assert [(entry["content"], entry["details"]["number"]) for entry in corrected] == [
        ("mistyped", {"from": "61", "to": "63"})
    ]
    assert [event["number"] for event in await support.events("VendorTicketUpdated")] == ["63", "63"]


async def read_ticket(runtime: Runtime, ticket_id: UUID) -> TicketReading:
    """Read a ticket at the vendor now."""
    intent = Intent(ticket_id, "read_ticket", ACCOUNT, str(ticket_id), {}, 1, "", START)
    return await ticket_readings.fetch_ticket_from_vendor(runtime, intent)
