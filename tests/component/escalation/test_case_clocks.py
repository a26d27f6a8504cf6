"""Clocks of cases on real Postgres: begun, paused and stopped with the case, and each deadline announced once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from services.escalation.domain.clocks import ResponseClock, ResponseTarget, evaluate_response_clock
from services.escalation.repository import clock_queries
from services.escalation.repository.clock_queries import ClockOfCase
from shared.events.invoicing import BusinessCalendarChanged
from shared.persistence.database import Unit
from shared.process.runtime import Runtime
from tests.builders import Client, Database, build_registered, hear, running, sweep

ACCOUNT = UUID(int=61)
OFFICE = tuple(((540, 1020),) if weekday < 5 else () for weekday in range(7))
BERLIN = ZoneInfo("Europe/Berlin")
MICROSECOND = timedelta(microseconds=1)
HOURS = BusinessCalendarChanged(
    legal_entity="GS-DE",
    time_zone="Europe/Berlin",
    hours=OFFICE,
    closed_days=(date(2026, 3, 6),),
    covers_until=date(2030, 12, 31),
)


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=BERLIN)


@dataclass
class Desk:
    """Escalation with an account of GS-DE, on Monday 2 March 2026, 10:00 in Berlin."""

    runtime: Runtime
    client: Client
    database: Database

    async def open(self, **more: Any) -> str:
        body = {"kind": "billing_question", "account_id": str(ACCOUNT), "subject": "What is line 3?"}
        return str((await self.client.create("/v1/cases", body | more))["id"])

    async def do(self, case_id: str, verb: str, **body: Any) -> None:
        await self.client.create(f"/v1/cases/{case_id}:{verb}", {"reason": "as agreed"} | body)

    async def speak(self, case_id: str) -> None:
        contact = {"channel": "phone", "about_outcome": False, "comment": "we look into it"}
        await self.client.create(f"/v1/cases/{case_id}/contacts", contact)

    async def clocks(self, case_id: str) -> dict[str, dict[str, Any]]:
        """The newest run of each clock."""
        answer = await self.client.got(f"/v1/cases/{case_id}/clocks")
        return {clock["which"]: clock for clock in answer["clocks"]}

    async def due(self, case_id: str, which: str) -> datetime | None:
        due_at = (await self.clocks(case_id))[which]["due_at"]
        return None if due_at is None else datetime.fromisoformat(due_at)

    async def at(self, instant: datetime) -> None:
        await self.database.move(instant.astimezone(UTC))
        await sweep(self.runtime)

    async def list_announced(self) -> list[tuple[str, str, int]]:
        query = "SELECT type, data FROM escalation.outbox WHERE type LIKE '%Deadline%' ORDER BY position"
        events = [(row["type"].split(".")[2], orjson.loads(row["data"])) for row in await self.database.rows(query)]
        return [(name, event["which"], event["run"]) for name, event in events]


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Desk]:
    async with running("escalation", database, keys, jwks_file) as (runtime, client):
        await hear(runtime, HOURS)
        await hear(runtime, build_registered(ACCOUNT))
        await sweep(runtime)
        await database.move(berlin(2, 10).astimezone(UTC))
        yield Desk(runtime, client, database)


async def test_the_first_answer_is_due_one_business_day_later_and_ends_its_clock(desk: Desk) -> None:
    case_id = await desk.open()
    assert await desk.due(case_id, "first") == berlin(3, 10)
    assert datetime.fromisoformat((await desk.client.got(f"/v1/cases/{case_id}"))["next_deadline_at"]) == berlin(3, 10)
    await desk.at(berlin(2, 15))
    await desk.speak(case_id)
    clocks = await desk.clocks(case_id)
    assert (clocks["first"]["stopped_at"] is not None, clocks["first"]["missed_at"]) == (True, None)
    assert await desk.due(case_id, "update") == berlin(5, 15)
    await desk.at(berlin(4, 10))
    assert await desk.list_announced() == []


async def test_who_writes_again_in_time_is_due_anew(desk: Desk) -> None:
    case_id = await desk.open()
    await desk.speak(case_id)
    await desk.at(berlin(4, 12))
    await desk.speak(case_id)
    clocks = await desk.clocks(case_id)
    assert (clocks["update"]["run"], await desk.due(case_id, "update")) == (2, berlin(10, 12)), "6 March is closed"


async def test_a_deadline_is_warned_of_and_missed_once_each(desk: Desk) -> None:
    case_id = await desk.open()
    await desk.at(berlin(2, 15, 59))
    assert await desk.list_announced() == []
    await desk.at(berlin(2, 16))
    assert await desk.list_announced() == [("ResponseDeadlineNear", "first", 1)]
    await desk.at(berlin(3, 9, 59))
    await desk.at(berlin(3, 10))
    missed = [("ResponseDeadlineNear", "first", 1), ("ResponseDeadlineMissed", "first", 1)]
    assert await desk.list_announced() == missed
    await desk.at(berlin(9, 10))
    await desk.speak(case_id)
    assert await desk.list_announced() == missed
    assert (await desk.clocks(case_id))["first"]["missed_at"] is not None


async def test_after_an_outage_only_that_it_was_missed_is_list_announced(desk: Desk) -> None:
    case_id = await desk.open()
    await desk.database.move(berlin(4, 10).astimezone(UTC))
    await desk.speak(case_id)
    await sweep(desk.runtime)
    assert await desk.list_announced() == [("ResponseDeadlineMissed", "first", 1)]


async def test_while_the_customer_is_waited_for_only_the_first_answer_runs(desk: Desk) -> None:
    case_id = await desk.open(kind="technical", severity="B")
    await desk.do(case_id, "start")
    await desk.speak(case_id)
    assert await desk.due(case_id, "update") == berlin(3, 10)
    await desk.at(berlin(2, 12))
    await desk.do(case_id, "wait", waiting_for="customer")
    assert await desk.due(case_id, "update") is None
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["next_deadline_at"] is None
    await desk.at(berlin(4, 11))
    await desk.do(case_id, "start")
    clock = (await desk.clocks(case_id))["update"]
    assert await desk.due(case_id, "update") == berlin(4, 17), "15 business hours were paused, from Tuesday 10:00"
    assert clock["remaining_minutes"] == 6 * 60
    assert len(clock["pauses"]) == 1
    unanswered = await desk.open()
    await desk.do(unanswered, "start")
    await desk.do(unanswered, "wait", waiting_for="customer")
    assert await desk.due(unanswered, "first") == berlin(5, 11)


async def test_another_severity_counts_from_the_beginning(desk: Desk) -> None:
    case_id = await desk.open(kind="technical", severity="C")
    assert await desk.due(case_id, "first") == berlin(3, 10)
    await desk.at(berlin(2, 13))
    headers = {**desk.client.headers, "if-match": "*"}
    await desk.client.http.patch(f"/v1/cases/{case_id}", json={"severity": "A"}, headers=headers)
    assert await desk.due(case_id, "first") == berlin(2, 12)
    await sweep(desk.runtime)
    assert await desk.list_announced() == [("ResponseDeadlineMissed", "first", 1)]


async def test_a_case_that_ends_owes_no_answer_and_one_opened_again_owes_the_next(desk: Desk) -> None:
    case_id = await desk.open()
    await desk.speak(case_id)
    await desk.do(case_id, "resolve", outcome="explained")
    clocks = await desk.clocks(case_id)
    assert all(clock["stopped_at"] for clock in clocks.values())
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["next_deadline_at"] is None
    await desk.at(berlin(3, 9))
    await desk.do(case_id, "reopen")
    clocks = await desk.clocks(case_id)
    assert (clocks["update"]["run"], clocks["update"]["stopped_at"]) == (2, None)
    unanswered = await desk.open()
    await desk.do(unanswered, "resolve", outcome="explained")
    assert (await desk.clocks(unanswered))["first"]["stopped_at"] is None, "nobody has told the customer anything"
    await desk.do(unanswered, "reopen")
    await desk.do(unanswered, "merge", into_case_id=case_id)
    assert (await desk.clocks(unanswered))["first"]["stopped_at"] is not None


async def test_a_moved_calendar_moves_what_still_runs(desk: Desk) -> None:
    case_id, missed = await desk.open(), await desk.open(kind="technical", severity="A")
    await desk.at(berlin(2, 12))
    assert [name for name, _, _ in await desk.list_announced()] == ["ResponseDeadlineMissed"]
    closed = HOURS.model_copy(update={"closed_days": (date(2026, 3, 3), date(2026, 3, 4))})
    await hear(desk.runtime, closed, sequence=2)
    await sweep(desk.runtime)
    assert await desk.due(case_id, "first") == berlin(5, 10)
    assert (await desk.clocks(missed))["first"]["missed_at"] is not None
    assert await desk.database.rows("SELECT * FROM escalation.moved_calendars") == []


async def test_targets_of_a_support_level_count_before_those_of_all(desk: Desk) -> None:
    path = "/v1/response-targets/{}/billing_question/none/first"
    standard = {"minutes": 240, "reason": "faster for all"}
    gold = {"minutes": 60, "is_round_the_clock": True, "warn_minutes": 10, "reason": "contract"}
    for level, target in (("standard", standard), ("gold", gold)):
        answer = await desk.client.http.put(path.format(level), json=target, headers=desk.client.headers)
        assert answer.status_code == 200, answer.text
    assert await desk.due(await desk.open(), "first") == berlin(2, 14)
    await desk.database.execute("UPDATE escalation.accounts SET support_level = 'gold'")
    assert await desk.due(await desk.open(), "first") == berlin(2, 11)
    targets = (await desk.client.got("/v1/response-targets"))["targets"]
    of_kind = [target for target in targets if target["kind"] == "billing_question"]
    places = [(target["support_level"], target["minutes"]) for target in of_kind]
    assert places == [("gold", 60), ("standard", 240), ("standard", 0)], "the update is that of everybody"
    for wrong in ({"reason": "x"}, {"minutes": 1, "business_days": 1, "reason": "x"}):
        answer = await desk.client.http.put(path.format("gold"), json=wrong, headers=desk.client.headers)
        assert answer.status_code == 422


async def test_each_answer_about_a_case_says_its_next_deadline(desk: Desk) -> None:
    body = {"kind": "billing_question", "account_id": str(ACCOUNT), "subject": "What is line 3?"}
    opened = await desk.client.create("/v1/cases", body)
    assert datetime.fromisoformat(opened["next_deadline_at"]) == berlin(3, 10)
    path = f"/v1/cases/{opened['id']}"
    await desk.do(opened["id"], "start")
    await desk.speak(opened["id"])
    waiting = await desk.client.create(f"{path}:wait", {"waiting_for": "customer", "reason": "asked"})
    assert waiting["next_deadline_at"] is None
    again = await desk.client.create(f"{path}:start", {"reason": "it is there"})
    assert again["next_deadline_at"] == (await desk.client.got(path))["next_deadline_at"] is not None


async def test_the_most_urgent_case_stands_first(desk: Desk) -> None:
    later, sooner = await desk.open(), await desk.open(kind="technical", severity="B")
    await desk.open(kind="task")
    pages, cursor = [], None
    for _ in range(2):
        page = await desk.client.got("/v1/cases-by-deadline", limit=1, **({"after": cursor} if cursor else {}))
        pages += [case["id"] for case in page["items"]]
        cursor = page["next"]
    assert (pages, cursor) == ([sooner, later], None)
    soon = (berlin(2, 10) + timedelta(hours=5)).astimezone(UTC).isoformat()
    page = await desk.client.got("/v1/cases-by-deadline", due_before=soon)
    assert [case["id"] for case in page["items"]] == [sooner]
    wrong = await desk.client.get("/v1/cases-by-deadline", after="yesterday")
    assert wrong.status_code == 422


async def test_what_is_announced_together_is_what_the_rule_says_of_each_clock(desk: Desk) -> None:
    """Clocks that are near, missed, warned of already, paused, stopped and not due, by statement and by rule."""
    now, hour = berlin(2, 12), timedelta(hours=1)
    running = ResponseClock(
        "ours", "update", 1, ResponseTarget(minutes=60), now - 9 * hour, due_at=now + hour, warn_at=now
    )
    clocks = [
        running,
        replace(running, warn_at=now + MICROSECOND),
        replace(running, due_at=now),
        replace(running, due_at=now + MICROSECOND, warned_at=now - hour),
        replace(running, due_at=now, warned_at=now - hour),
        replace(running, due_at=None, warn_at=None),
        replace(running, due_at=now, stopped_at=now - hour),
        replace(running, due_at=now - hour, missed_at=now - hour),
    ]
    case_id = UUID(await desk.open(kind="fraud"))
    numbered = [replace(clock, run=run) for run, clock in enumerate(clocks, 1)]
    await desk.database.move(now.astimezone(UTC))

    async def announce(unit: Unit) -> list[ResponseClock]:
        await clock_queries.save_response_clocks(unit, [ClockOfCase(case_id, ACCOUNT, clock) for clock in numbered])
        await clock_queries.mark_clocks_announced(unit, [ACCOUNT])
        unit.session.expire_all()
        return [
            item.clock
            for item in await clock_queries.list_clocks_of_case(unit, case_id)
            if item.clock.which == "update"
        ]

    announced_clocks = await desk.runtime.units.run(announce)
    assert announced_clocks == [evaluate_response_clock(clock, now) for clock in numbered]
    assert [clock for clock in announced_clocks if clock.warned_at == now] == announced_clocks[:1]


async def test_whose_outcome_is_known_is_to_be_told_within_two_business_days(desk: Desk) -> None:
    """Friday the 6th is closed, so what is resolved on Wednesday at ten is to be told by Monday at ten."""
    await desk.at(berlin(4, 10))
    resolved, reopened, unaffected = [await desk.open() for _ in range(3)]
    for case_id in (resolved, reopened, unaffected):
        await desk.do(case_id, "resolve", outcome="explained")
    inform_by = (await desk.client.got(f"/v1/cases/{resolved}"))["inform_by"]
    assert datetime.fromisoformat(inform_by) == berlin(9, 10)
    await desk.speak(resolved)
    await desk.do(reopened, "reopen")
    query = "/v1/cases?inform_before=2026-03-09T09:00:01Z"
    assert {case["id"] for case in (await desk.client.got(query))["items"]} == {resolved, unaffected}
    assert (await desk.client.got("/v1/cases?inform_before=2026-03-09T09:00:00Z"))["items"] == []
    contact = {"channel": "phone", "about_outcome": True, "comment": "explained the line"}
    await desk.client.create(f"/v1/cases/{resolved}/contacts", contact)
    assert [case["id"] for case in (await desk.client.got(query))["items"]] == [unaffected]
    await desk.do(reopened, "resolve", outcome="explained again")
    assert (await desk.client.got(f"/v1/cases/{reopened}"))["inform_by"] == inform_by
    task = (
        await desk.client.create("/v1/cases", {"kind": "task", "subject": "call them", "account_id": str(ACCOUNT)})
    )["id"]
    await desk.do(task, "resolve", outcome="done")
    assert (await desk.client.got(f"/v1/cases/{task}"))["inform_by"] is None
