"""Tickets are kept in step with the vendor: status, severity and notes, each once, whatever the wire does."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from deploy.local.tokens import SigningKeyPair
from sandbox.vendor_simulator.faults import VendorFault
from sandbox.vendor_simulator.service_requests import NEVER
from tests.builders import Database, sweep, work
from tests.component.entitlements_world import Break, refusal
from tests.component.vendor_support import CHANNEL, NUMBER, Support, running_support


@pytest.fixture
async def support(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Support]:
    async with running_support(database, keys, jwks_file) as world:
        yield world


async def hand_over(support: Support) -> tuple[str, str]:
    """Hand a case over; its id, and the ticket's."""
    case_id = await support.open()
    await support.get_ready(case_id)
    ticket_id = await support.submit(case_id)
    await support.step()
    return case_id, ticket_id


async def check_distributor(support: Support) -> None:
    """Hand a case over to a distributor: nobody asks the vendor about it."""
    support.wire.methods.clear()
    channel = CHANNEL | {"kind": "distributor", "distributor_email": "support@distributor.example"}
    answer = await support.client.http.put("/v1/vendor-channels/GS-DE", json=channel, headers=support.client.headers)
    assert answer.status_code == 200
    case_id = await support.open(kind="fraud", severity=None)
    ticket_id = (await support.prepare(case_id)).json()["id"]
    await support.client.create(f"/v1/vendor-tickets/{ticket_id}:submit", {"number": "D-17.4"})
    await support.client.create(f"/v1/vendor-tickets/{ticket_id}/notes", {"content": "any news?"})
    await support.step(days=2)
    assert support.wire.methods == []
    without = await support.client.http.put(
        "/v1/vendor-channels/GS-FR", json=CHANNEL | {"kind": "distributor"}, headers=support.client.headers
    )
    assert without.status_code == 422
    assert [channel["legal_entity"] for channel in (await support.client.got("/v1/vendor-channels"))["items"]] == [
        "GS-DE"
    ]


async def test_the_vendor_s_words_come_once_and_its_question_makes_it_our_turn(support: Support) -> None:
    case_id, ticket_id = await hand_over(support)
    await support.write("Please send the headers.\r\nThank you.")
    await support.step(minutes=14)
    assert await support.notes(case_id) == [], "nobody looked yet"
    await support.leave(status="attention_needed", severity="critical", writes_numbers=True)
    await support.step(minutes=1)
    await support.step(minutes=15)
    assert await support.notes(case_id) == [(None, "Please send the headers.\nThank you.")]
    assert await support.state(case_id) == "in_progress"
    ticket = await support.ticket(ticket_id)
    assert (ticket["status"], ticket["severity"], ticket["reading_refusal"]) == ("attention_needed", "A", None)
    assert (ticket["answered_at"], ticket["read_at"]) == ("2026-03-02T09:15:00Z", "2026-03-02T09:30:00Z")
    _, updated = await support.events("VendorTicket")
    assert (updated["type"], updated["status"], updated["severity"], updated["number"]) == (
        "VendorTicketUpdated",
        "attention_needed",
        "A",
        NUMBER,
    )
    clocks = (await support.client.got(f"/v1/cases/{case_id}/clocks"))["clocks"]
    assert {(clock["whose"], clock["which"]): clock["stopped_at"] is None for clock in clocks} == {
        ("ours", "first"): True,
        ("ours", "update"): True,
        ("vendor", "first"): False,
    }


async def test_our_note_is_sent_once_and_does_not_come_back_as_theirs(support: Support) -> None:
    case_id, ticket_id = await hand_over(support)
    path = f"/v1/vendor-tickets/{ticket_id}/notes"
    stopped = await support.client.post(path, {"content": "ring 030/901820"})
    assert (stopped.status_code, stopped.json()["code"]) == (409, "contact_details_undecided")
    decision = {"content": "030/901820", "choice": "remove", "reason": "the customer's"}
    await support.client.create(path, {"content": "ring 030/901820", "decisions": [decision]})
    support.wire.faults = [httpx2.Response(200, json={"status": "open"}), "after"]
    await work(support.runtime)
    await support.step(minutes=1)
    await support.write("Thank you.")
    await support.step(minutes=15)
    await support.step(minutes=15)
    (request,) = (await support.portal.get("/sandbox/servicerequests")).json()["items"]
    assert [note["text"] for note in request["notes"]] == ["ring [removed]", "Thank you."]
    assert request["lastClosedDate"] == NEVER
    actor = (await support.client.got(f"/v1/cases/{case_id}"))["opened_by"]
    assert await support.notes(case_id) == [(actor, "ring [removed]"), (None, "Thank you.")]
    sent = await support.database.value("SELECT sent_at FROM escalation.ticket_notes WHERE is_ours")
    assert sent is not None


async def test_closed_at_the_vendor_resolves_nothing_until_a_person_says_so(support: Support) -> None:
    case_id, ticket_id = await hand_over(support)
    path = f"/v1/vendor-tickets/{ticket_id}:confirm-solution"
    early = await support.client.post(path, {"solved": True, "reason": "so it seems"})
    assert (early.status_code, early.json()["code"]) == (409, "move_refused")
    await support.leave(status="closed")
    await support.step(minutes=15)
    assert (await support.ticket(ticket_id))["status"] == "closed"
    assert await support.state(case_id) == "in_progress"
    confirmed = await support.client.create(path, {"solved": False, "reason": "mail still waits"})
    assert (confirmed["is_solved"], confirmed["solved_reason"]) == (False, "mail still waits")
    assert (await support.client.post(path, {"solved": True, "reason": "it works"})).status_code == 409
    assert await support.state(case_id) == "in_progress"
    reads = len(support.wire.methods)
    await support.step(days=3)
    assert len(support.wire.methods) == reads, "what was confirmed is not looked at any more"
    seen = {"status": "attention_needed"}
    resumed = await support.client.create(f"/v1/vendor-tickets/{ticket_id}:record-status", seen)
    assert (resumed["is_solved"], resumed["solved_reason"]) == (None, None)
    await support.leave(status="attention_needed")
    await support.step()
    assert len(support.wire.methods) == reads + 1, "what goes on is looked at again"


async def test_what_may_pass_is_tried_again(support: Support) -> None:
    case_id = await support.open(kind="fraud", severity=None)
    ticket_id = await support.submit(case_id)
    nonsense = httpx2.Response(200, json={"status": "sleeping"})
    passing = [refusal(status, status) for status in (401, 403, 429, 500, 503)]
    faults: list[Break] = [*passing, "before", "after", nonsense]
    for number, fault in enumerate(faults):
        await support.write(f"word {number}")
        support.wire.faults = [fault]
        await support.step(minutes=15)
        ticket = await support.ticket(ticket_id)
        assert (ticket["status"], ticket["reading_refusal"]) == ("open", None)
        assert len(await support.notes(case_id)) == number, fault
        await support.step(minutes=1)
        assert len(await support.notes(case_id)) == number + 1, fault
    assert await support.tasks() == []


async def test_a_ticket_that_is_shown_to_its_creator_only_is_a_person_s(support: Support) -> None:
    case_id, ticket_id = await hand_over(support)
    await support.leave(is_visible=False)
    await support.step(minutes=15)
    await support.step(days=1)
    ticket = await support.ticket(ticket_id)
    assert (ticket["status"], ticket["reading_refusal"]) == ("open", "404")
    (task,) = await support.tasks()
    assert "does not show us" in task["subject"]
    await support.client.create(f"/v1/vendor-tickets/{ticket_id}/notes", {"content": "any news?"})
    await support.step()
    assert len(await support.tasks()) == 2, "our note cannot be sent"
    seen = {"status": "attention_needed", "note": "Send the headers."}
    for _ in range(2):
        await support.client.create(f"/v1/vendor-tickets/{ticket_id}:record-status", seen)
    assert await support.state(case_id) == "in_progress"
    assert [content for _, content in await support.notes(case_id)] == ["any news?", "Send the headers."]


async def test_two_looks_at_once_take_a_note_once(support: Support) -> None:
    case_id, ticket_id = await hand_over(support)
    await support.write("We look into it.")
    await support.database.move(minutes=15)
    await sweep(support.runtime)
    query = """
        INSERT INTO escalation.intents (id, kind, account_id, key, payload, state, due_at, attempts, created_at,
            traceparent) SELECT gen_random_uuid(), kind, account_id, key || '', payload, 'done', due_at, 0, created_at,
            traceparent FROM escalation.intents WHERE state = 'pending' RETURNING id
    """
    await support.database.execute(query)
    await support.database.execute("DROP INDEX escalation.intents_one_pending")
    await support.database.execute(
        "UPDATE escalation.intents SET state = 'pending', due_at = now() - interval '1 year'"
    )
    await work(support.runtime)
    assert await support.notes(case_id) == [(None, "We look into it.")]
    assert (await support.ticket(ticket_id))["status"] == "open"


async def test_one_ticket_that_breaks_stops_no_other_and_a_distributor_s_is_not_looked_for(support: Support) -> None:
    case_id, _ = await hand_over(support)
    other = await support.open(kind="fraud", severity=None)
    await support.submit(other, number="17")
    for number in (NUMBER, "17"):
        await support.write("We look into it.", number=number)
    support.vendor.faults.add_fault(VendorFault(subscription=NUMBER, fault="500", times=9))
    await support.step(minutes=15)
    assert (await support.notes(case_id), await support.notes(other)) == ([], [(None, "We look into it.")])
    await support.database.execute("UPDATE escalation.vendor_tickets SET next_reading_at = NULL")
    support.vendor.faults.clear_faults()
    await support.step(minutes=15)
    await check_distributor(support)


async def test_a_merged_case_s_ticket_goes_on_in_the_other_one(support: Support) -> None:
    case_id, ticket_id = await hand_over(support)
    target = await support.open()
    await support.client.create(f"/v1/cases/{target}:start", {"reason": "begun"})
    await support.client.create(f"/v1/cases/{target}:wait", {"waiting_for": "vendor", "reason": "the same ticket"})
    await support.client.create(f"/v1/cases/{case_id}:merge", {"into_case_id": target, "reason": "the same"})
    await support.write("Please answer.")
    await support.leave(status="attention_needed")
    await support.step(minutes=15)
    assert (await support.state(case_id), await support.state(target)) == ("merged", "in_progress")
    assert await support.notes(target) == [(None, "Please answer.")]
    listed = await support.client.got("/v1/vendor-tickets", case_id=target)
    assert [ticket["id"] for ticket in listed["items"]] == [ticket_id]


async def test_a_closed_case_is_not_opened_by_the_vendor_but_a_person_gets_a_task(support: Support) -> None:
    case_id, _ = await hand_over(support)
    await support.client.create(
        f"/v1/cases/{case_id}:resolve", {"outcome": "it works", "reason": "the customer says so"}
    )
    contact = {"channel": "phone", "about_outcome": True, "comment": "they know"}
    await support.client.create(f"/v1/cases/{case_id}/contacts", contact)
    await support.client.create(f"/v1/cases/{case_id}:close", {"reason": "they know"})
    await support.leave(status="attention_needed")
    await support.step(minutes=15)
    await support.step(minutes=15)
    assert await support.state(case_id) == "closed"
    (task,) = await support.tasks()
    assert task["subject"] == f"the vendor waits for us in ticket {NUMBER}, whose case is closed"
