"""Disputes are amended, reviewed, upheld in part; reasons that pause credit nothing; what was rejected is a question.

Escalation beside invoicing: one invoice of 1000 with lines of 700 and 300, which `operator` may credit.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.escalation import DisputedLine, DisputeResolved
from shared.events.invoicing import CreditNoteIssued
from shared.events.invoicing.payments import AllocatedAmount
from tests.builders import Client, Database, hear, sweep, work
from tests.component.escalation.test_escalation import World, opened_world
from tests.component.setting_requests import put_by_two

WHY = {"reason": "as the order says"}


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with opened_world(database, keys, jwks_file) as made:
        yield made


def list_lines(*amounts: int, reason: str = "quantity") -> list[dict[str, Any]]:
    """List lines from the first on, with amounts (minor units; none of 0) and one reason."""
    return [
        {"line": line, "amount_minor": minor, "reason_code": reason} for line, minor in enumerate(amounts, 1) if minor
    ]


async def open_dispute(world: World, *amounts: int, reason: str = "quantity") -> str:
    """Open a dispute; its path."""
    body = world.dispute() | {"lines": list_lines(*amounts, reason=reason)}
    return f"/v1/disputes/{(await world.client.create('/v1/disputes', body))['id']}"


async def amend(world: World, path: str, *amounts: int) -> tuple[int, dict[str, Any]]:
    """Amend a dispute; the status of the answer, and the answer."""
    answer = await world.client.post(f"{path}:amend", {"lines": list_lines(*amounts), "reason": "counted again"})
    return answer.status_code, answer.json()


async def read_reserved(world: World) -> list[int]:
    """Read what is disputed of each line of the invoice; minor units."""
    balance = await world.invoicing.got(f"/v1/invoices/{world.invoice_id}/balance")
    return [line["disputed_minor"] for line in balance["lines"]]


async def read_last_event(world: World) -> tuple[str, dict[str, Any]]:
    query = "SELECT type, data FROM escalation.outbox WHERE type LIKE '%Dispute%' ORDER BY position DESC LIMIT 1"
    [row] = await world.database.rows(query)
    return row["type"].split(".")[2], orjson.loads(row["data"])


async def pass_to_invoicing(world: World) -> None:
    """Let invoicing hear how the last dispute was decided."""
    _, payload = await read_last_event(world)
    await hear(world.invoicing_runtime, DisputeResolved.model_validate(payload))


async def test_more_or_less_is_disputed_while_it_is_open_and_invoicing_has_it_first(world: World) -> None:
    path = await open_dispute(world, 100)
    status, first = await amend(world, path, 250, 300)
    assert (status, first["number"], first["state"], first["total_minor"]) == (200, 1, "done", 550)
    assert await read_reserved(world) == [250, 300]
    kind, payload = await read_last_event(world)
    amounts = [(line["line"], line["amount_minor"]) for line in payload["lines"]]
    assert (kind, payload["amendment_number"], amounts) == ("DisputeAmended", 1, [(1, 250), (2, 300)])
    await world.client.create(f"{path}:review", {})
    assert (await amend(world, path, 0, 40))[1]["number"] == 2
    assert await read_reserved(world) == [0, 40]
    dispute = await world.client.got(path)
    assert (dispute["state"], dispute["total_minor"]) == ("under_review", 40)
    items = (await world.client.got(f"{path}/amendments"))["items"]
    assert [(item["number"], item["total_minor"], item["requested_by"]) for item in items] == [
        (1, 550, "operator"),
        (2, 40, "operator"),
    ]
    await world.client.create(f"{path}:reject", WHY)
    await pass_to_invoicing(world)
    assert await read_reserved(world) == [0, 0]


async def test_what_invoicing_refuses_leaves_the_dispute_as_it_was(world: World) -> None:
    path = await open_dispute(world, 100)
    status, refused = await amend(world, path, 701)
    assert (status, refused["code"]) == (409, "amendment_refused")
    assert (await world.client.got(path))["total_minor"] == 100
    assert (await read_reserved(world), (await read_last_event(world))[0]) == ([100, 0], "DisputeOpened")
    assert (await amend(world, path, 200))[1]["number"] == 2
    assert await read_reserved(world) == [200, 0]


async def test_a_refusal_names_the_disputes_and_cases_that_hold_the_lines(world: World) -> None:
    first = await open_dispute(world, 500)
    await open_dispute(world, 0, 300)
    body = world.dispute() | {"lines": list_lines(300)}
    refused = await world.client.post("/v1/disputes", body)
    holder = await world.client.got(first)
    shown = [{"dispute_id": holder["id"], "case_id": holder["case_id"], "lines": [1]}]
    assert (refused.status_code, refused.json()["code"]) == (409, "dispute_refused")
    assert refused.json()["held_by"] == shown
    other = await open_dispute(world, 100)
    assert (await amend(world, other, 300))[1]["held_by"] == shown
    await world.client.create(f"{first}:withdraw", WHY)
    assert (await amend(world, other, 300))[1]["held_by"] == [], "what has ended is released in a moment"


async def test_more_is_not_added_of_a_line_that_was_rejected_without_something_new(world: World) -> None:
    await world.client.create(f"{await open_dispute(world, 100)}:reject", WHY)
    await pass_to_invoicing(world)
    path = await open_dispute(world, 0, 50)
    status, refused = await amend(world, path, 100, 50)
    assert (status, refused["code"], refused["question_cause"]) == (409, "addition_refused", "rejected_before")
    assert await read_reserved(world) == [0, 50]
    body = {"lines": list_lines(100, 50), "reason": "counted again", "new_evidence": "the delivery note"}
    assert (await world.client.create(f"{path}:amend", body))["state"] == "done"
    assert await read_reserved(world) == [100, 50]
    assert (await amend(world, path, 90, 60))[1]["state"] == "done", "less of it, and more of another line"


async def test_nobody_decides_while_invoicing_has_an_amendment_to_answer(world: World) -> None:
    path = await open_dispute(world, 100)
    world.door.shut = True
    status, waiting = await amend(world, path, 200)
    assert (status, waiting["state"]) == (202, "requested")
    world.door.shut = False
    for verb in ("uphold", "reject", "withdraw"):
        refused = await world.client.post(f"{path}:{verb}", WHY)
        assert (refused.status_code, refused.json()["code"]) == (409, "amendment_pending"), verb
    assert (await amend(world, path, 300))[1]["code"] == "amendment_pending"
    await world.database.move(minutes=2)
    await work(world.runtime)
    assert (await world.client.got(path))["total_minor"] == 200
    assert await read_reserved(world) == [200, 0]
    assert (await world.client.create(f"{path}:reject", WHY))["state"] == "rejected"


async def test_two_who_amend_at_once_are_one_after_the_other(world: World) -> None:
    path = await open_dispute(world, 100)
    answers = await asyncio.gather(*(amend(world, path, 100 + n) for n in range(1, 7)))
    done = [answer for status, answer in answers if status == 200]
    assert {status for status, _ in answers} <= {200, 409}
    assert done
    last = max(done, key=lambda answer: int(answer["number"]))
    assert (await world.client.got(path))["total_minor"] == last["total_minor"]
    assert await read_reserved(world) == [last["total_minor"], 0]


async def test_invoicing_keeps_the_order_of_amendments_and_none_once_it_is_upheld(world: World) -> None:
    path = await open_dispute(world, 100)
    dispute_id = path.rsplit("/", 1)[1]
    reservation = f"/v1/reservations/{dispute_id}"
    for number, minor, expected in ((2, 200, 200), (2, 200, 200), (1, 300, 409), (2, 300, 409), (3, 300, 200)):
        body = {"amendment": number, "lines": [{"line": 1, "amount_minor": minor}]}
        answer = await world.invoicing.post(f"{reservation}:amend", body)
        assert (answer.status_code, number, minor) == (expected, number, minor)
    assert await read_reserved(world) == [300, 0]
    question = {"actor": "ann", "roles": ["operator"], "outcome": "upheld", "lines": [{"line": 1, "amount_minor": 300}]}
    await world.invoicing.create(f"{reservation}:authorise", question)
    late = {"amendment": 4, "lines": [{"line": 1, "amount_minor": 1}]}
    refused = await world.invoicing.post(f"{reservation}:amend", late)
    assert (refused.status_code, refused.json()["code"]) == (409, "upholding_authorised")


async def test_a_line_is_disputed_with_one_amount(world: World) -> None:
    twice = [{"line": 1, "amount_minor": 50}, {"line": 1, "amount_minor": 70, "reason_code": "price"}]
    path = await open_dispute(world, 100)
    for door, body in (
        ("/v1/disputes", world.dispute() | {"lines": twice}),
        (f"{path}:amend", {"lines": twice, "reason": "counted again"}),
    ):
        refused = await world.client.post(door, body)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
        assert "line 1 is named twice" in refused.json()["errors"][0]["message"]
    assert len((await world.client.got("/v1/disputes"))["items"]) == 1


async def test_a_part_is_credited_by_line_and_the_rest_released_in_one_step(world: World) -> None:
    path = await open_dispute(world, 700, 300)
    decision = WHY | {"lines": [{"line": 1, "approved_minor": 250}]}
    decided = await world.client.create(f"{path}:uphold", decision)
    assert (decided["state"], [line["approved_minor"] for line in decided["lines"]]) == ("partly_upheld", [250, 0])
    kind, payload = await read_last_event(world)
    assert (kind, payload["outcome"]) == ("DisputeResolved", "partly_upheld")
    await pass_to_invoicing(world)
    balance = await world.invoicing.got(f"/v1/invoices/{world.invoice_id}/balance")
    assert (balance["open_minor"], balance["credited_minor"], balance["disputed_minor"]) == (750, 250, 0)
    [note] = (await world.invoicing.got(f"/v1/credit-notes?account_id={world.account_id}"))["items"]
    assert (note["dispute_id"], note["total_minor"]) == (decided["id"], 250)
    issued = CreditNoteIssued(
        account_id=UUID(world.account_id),
        credit_note_id=UUID(note["id"]),
        number=note["number"],
        invoice_id=UUID(world.invoice_id),
        dispute_id=UUID(decided["id"]),
        currency="EUR",
        total_minor=250,
        lines=(AllocatedAmount(invoice_id=UUID(world.invoice_id), line=1, amount_minor=250),),
    )
    await hear(world.runtime, issued, sequence=10)
    assert (await world.client.got(path))["credit_note_number"] == note["number"]
    entries = (await world.client.got(f"/v1/cases/{decided['case_id']}/entries"))["items"]
    assert [entry["details"] for entry in entries][-1] == {"credit_note": note["number"]}
    assert (await world.client.got(f"/v1/cases/{decided['case_id']}"))["outcome"] == "the dispute was partly upheld"
    again = [
        (await world.client.create("/v1/disputes", world.dispute() | {"lines": [line]}))["state"]
        for line in (
            {"line": 1, "amount_minor": 1},
            {"line": 2, "amount_minor": 1},
        )
    ]
    assert again == ["opened", "question"], "of line 2 nothing was approved"


@pytest.mark.parametrize(
    "lines",
    [
        [{"line": 1, "approved_minor": 101}],
        [{"line": 2, "approved_minor": 1}],
        [{"line": 1, "approved_minor": 0}],
        [{"line": 1, "approved_minor": 1}, {"line": 1, "approved_minor": 1}],
    ],
)
async def test_no_more_is_approved_than_is_disputed_and_something_is(world: World, lines: list[dict[str, int]]) -> None:
    path = await open_dispute(world, 100)
    refused = await world.client.post(f"{path}:uphold", WHY | {"lines": lines})
    assert refused.status_code == 422
    assert (await world.client.got(path))["state"] == "opened"


async def test_the_limit_is_that_of_what_is_approved_and_a_second_person_confirms_that(world: World) -> None:
    await put_by_two(world.invoicing, "/v1/approval-limits/clerk/EUR", {"amount_minor": 299, "reason": "the board"})
    ann, other = world.client.somebody("ann", "clerk"), await open_dispute(world, 0, 300)
    decided = await ann.create(f"{other}:uphold", WHY | {"lines": [{"line": 2, "approved_minor": 299}]})
    assert decided["state"] == "partly_upheld"
    path = await open_dispute(world, 700)
    waiting = await ann.post(f"{path}:uphold", WHY | {"lines": [{"line": 1, "approved_minor": 301}]})
    assert (waiting.status_code, waiting.json()["lines"][0]["approved_minor"]) == (202, 301)
    declined = await world.client.create(f"{path}:decline", WHY)
    assert (declined["state"], declined["lines"][0]["approved_minor"]) == ("opened", None)
    await ann.create(f"{path}:uphold", WHY | {"lines": [{"line": 1, "approved_minor": 301}]})
    confirmed = await world.client.create(f"{path}:confirm", WHY)
    assert (confirmed["state"], confirmed["lines"][0]["approved_minor"]) == ("partly_upheld", 301)


async def test_what_is_declined_goes_back_to_the_review_that_it_came_from(world: World) -> None:
    path = await open_dispute(world, 100)
    await world.client.create(f"{path}:review", {})
    await world.client.somebody("ann", "nobody").create(f"{path}:uphold", WHY)
    assert (await world.client.create(f"{path}:decline", WHY))["state"] == "under_review"


async def test_a_line_whose_tax_is_wrong_is_credited_in_full_and_invoiced_again(world: World) -> None:
    path = await open_dispute(world, 100, reason="tax")
    refused = await world.client.post(f"{path}:uphold", WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "tax_line_in_full")
    body = {"lines": list_lines(700, reason="tax"), "reason": "all of the line"}
    await world.client.create(f"{path}:amend", body)
    assert (await world.client.create(f"{path}:uphold", WHY))["state"] == "upheld"
    tasks = (await world.client.got(f"/v1/cases?kind=task&account_id={world.account_id}"))["items"]
    assert [task["subject"] for task in tasks] == ["invoice a line again whose tax was wrong: it was credited in full"]


async def test_a_reason_that_pauses_credits_nothing_and_ends_by_itself(world: World) -> None:
    path = await open_dispute(world, 700, 300, reason="purchase_order_missing")
    assert await read_reserved(world) == [700, 300]
    refused = await world.client.post(f"{path}:uphold", WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "credits_nothing")
    await world.database.move(days=13)
    await sweep(world.runtime)
    assert (await world.client.got(path))["state"] == "opened"
    await world.database.move(days=1)
    await sweep(world.runtime)
    ended = await world.client.got(path)
    assert (ended["state"], ended["ended_reason"]) == ("withdrawn", "the pause of the invoice has ended")
    assert (await read_last_event(world))[0] == "DisputeWithdrawn"


async def test_a_pause_that_cannot_end_stops_no_other(world: World) -> None:
    waiting = await open_dispute(world, 100, reason="wrong_address")
    other = await open_dispute(world, 0, 100, reason="wrong_address")
    world.door.shut = True
    body = {"lines": list_lines(200, reason="wrong_address"), "reason": "more"}
    assert (await world.client.post(f"{waiting}:amend", body)).status_code == 202
    await world.database.move(days=14)
    await sweep(world.runtime)
    states = [(await world.client.got(path))["state"] for path in (waiting, other)]
    assert states == ["opened", "withdrawn"]


async def put_reason(world: World, titles: dict[str, str], *, is_active: bool) -> None:
    path, body = "/v1/dispute-reasons/late", {"titles": titles, "is_active": is_active}
    assert (await world.client.http.put(path, json=body, headers=world.client.headers)).status_code == 200


async def test_reasons_are_data(world: World) -> None:
    titles = {"en": "Late", "de": "Zu spät", "fr": "En retard", "ru": "Поздно"}
    await put_reason(world, titles, is_active=True)
    path = await open_dispute(world, 100, reason="late")
    assert (await world.client.got(path))["lines"][0]["reason_code"] == "late"
    await put_reason(world, titles, is_active=False)
    unknown = world.dispute() | {"lines": list_lines(100, reason="late")}
    refused = await world.client.post("/v1/disputes", unknown)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_reason")
    mixed = world.dispute() | {"lines": [*list_lines(1), {"line": 2, "amount_minor": 1, "reason_code": "not_received"}]}
    assert (await world.client.post("/v1/disputes", mixed)).json()["code"] == "reasons_mixed"
    codes = {row["code"]: row["pause_days"] for row in (await world.client.got("/v1/dispute-reasons"))["items"]}
    assert {code for code, days in codes.items() if days} == {"purchase_order_missing", "wrong_address", "not_received"}
    assert len(codes) == 14


async def test_a_line_that_was_rejected_is_a_question_until_it_is_admitted_or_something_is_new(world: World) -> None:
    await world.client.create(f"{await open_dispute(world, 100)}:reject", WHY)
    await pass_to_invoicing(world)
    body = world.dispute(100)
    question = await world.client.create("/v1/disputes", body)
    assert (question["state"], question["question_cause"]) == ("question", "rejected_before")
    assert await read_reserved(world) == [0, 0]
    case = await world.client.got(f"/v1/cases/{question['case_id']}")
    assert case["kind"] == "billing_question"
    refused = await world.client.post(f"/v1/disputes/{question['id']}:uphold", WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "move_refused")
    admitted = await world.client.create(f"/v1/disputes/{question['id']}:admit", WHY)
    assert (admitted["state"], await read_reserved(world)) == ("opened", [100, 0])
    assert (await world.client.got(f"/v1/cases/{question['case_id']}"))["kind"] == "dispute"
    other = await world.client.create("/v1/disputes", body | {"new_evidence": "the delivery note of March"})
    assert (other["state"], await read_reserved(world)) == ("opened", [200, 0])
    assert (await world.client.create("/v1/disputes", world.dispute() | {"lines": list_lines(0, 50)}))[
        "state"
    ] == "opened"


async def test_a_question_ends_with_its_case_and_goes_on_in_the_one_that_took_it_in(world: World) -> None:
    await world.client.create(f"{await open_dispute(world, 100)}:reject", WHY)
    question = await world.client.create("/v1/disputes", world.dispute(100))
    case = f"/v1/cases/{question['case_id']}"

    async def list_questions(case_unresolved: str) -> list[str]:
        query = f"state=question&invoice_id={world.invoice_id}&case_unresolved={case_unresolved}"
        return [row["id"] for row in (await world.client.got(f"/v1/disputes?{query}"))["items"]]

    assert [await list_questions("true"), await list_questions("false")] == [[question["id"]], []]
    body = {"kind": "billing_question", "account_id": str(world.account_id), "subject": "the same, by mail"}
    other = await world.client.create("/v1/cases", body)
    await world.client.create(f"{case}:merge", {"into_case_id": other["id"]} | WHY)
    assert [await list_questions("true"), await list_questions("false")] == [[question["id"]], []]
    await world.client.create(f"/v1/cases/{other['id']}:resolve", {"outcome": "the line is right"} | WHY)
    assert [await list_questions("true"), await list_questions("false")] == [[], [question["id"]]]
    assert (await world.client.got(f"/v1/disputes?state=question&invoice_id={uuid4()}"))["items"] == []


async def test_a_question_pauses_nothing_until_it_is_admitted(world: World) -> None:
    await world.client.create(f"{await open_dispute(world, 100, reason='wrong_address')}:reject", WHY)
    body = world.dispute() | {"lines": list_lines(100, reason="wrong_address")}
    question = await world.client.create("/v1/disputes", body)
    assert (question["state"], question["paused_until"]) == ("question", None)
    await world.database.move(days=1)
    admitted = await world.client.create(f"/v1/disputes/{question['id']}:admit", WHY)
    requested, paused = (datetime.fromisoformat(admitted[name]) for name in ("requested_at", "paused_until"))
    assert paused - requested == timedelta(days=15)


async def test_a_question_is_admitted_by_a_right_of_its_own_and_withdrawn_without_money(
    world: World, keys: SigningKeyPair
) -> None:
    await world.client.create(f"{await open_dispute(world, 100)}:reject", WHY)
    question = await world.client.create("/v1/disputes", world.dispute(100))
    events = await world.events()
    agent = Client(world.client.http, keys.token("escalation", "escalation:read escalation:write", "ann"))
    refused = await agent.post(f"/v1/disputes/{question['id']}:admit", WHY)
    assert refused.status_code == 403
    assert (await agent.create(f"/v1/disputes/{question['id']}:withdraw", WHY))["state"] == "withdrawn"
    assert (await world.events())[len(events) :] == ["CaseResolved"]


def test_an_event_of_before_credits_all_that_was_disputed() -> None:
    base = {
        "case_id": UUID(int=1),
        "account_id": UUID(int=2),
        "dispute_id": UUID(int=3),
        "invoice_id": UUID(int=4),
        "currency": "EUR",
    }
    line = DisputedLine(line=1, amount_minor=600)
    assert DisputeResolved(**base, lines=(line,), outcome="upheld").map_approved() == {1: 600}
    assert DisputeResolved(**base, lines=(line,), outcome="rejected").map_approved() == {}
    part = DisputedLine(line=1, amount_minor=600, approved_minor=0)
    rest = DisputedLine(line=2, amount_minor=50, approved_minor=20)
    assert DisputeResolved(**base, lines=(part, rest), outcome="partly_upheld").map_approved() == {1: 0, 2: 20}
    assert DisputeResolved(**base, lines=(line,), outcome="partly_upheld").map_approved() == {}
