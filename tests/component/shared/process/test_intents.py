"""Intents on real Postgres: one call at a time for a key, by one worker, until its result is recorded."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from shared.base import clock
from shared.persistence import failed_work
from shared.persistence.audit import AuditedAct
from shared.persistence.database import Cause, Unit
from shared.persistence.failed_work import FailedWorkName, WorkKind
from shared.process import intents, jobs
from shared.process.intents import Intent, IntentKind, RecordingOutcome
from shared.process.runtime import Runtime
from shared.process.service import load_service
from shared.pure.errors import RetryLater
from tests.builders import work
from tests.component.shared.rehearsal import Stage

ACCOUNT = uuid4()
CALL = FailedWorkName(WorkKind.INTENT, "call")


class Outside:
    """The world outside: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[UUID] = []
        self.recorded: list[Any] = []
        self.answers: list[Exception | str] = []
        self.says = RecordingOutcome.DONE
        self.called = asyncio.Event()
        self.may_answer: asyncio.Event | None = None

    async def perform(self, _: Runtime, intent: Intent) -> str:
        self.asked.append(intent.id)
        self.called.set()
        if self.may_answer is not None:
            await self.may_answer.wait()
        answer = self.answers.pop(0) if self.answers else "done"
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def record(self, unit: Unit, intent: Intent, result: Any) -> RecordingOutcome:
        self.recorded.append(result)
        return self.says


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def runtime(stage: Stage, outside: Outside) -> Runtime:
    service = load_service("collections")
    kind = IntentKind("call", outside.perform, outside.record)
    bare = type(service)(service.name, service.summary, (), service.tables, intents=(kind,))
    runtime = Runtime(bare, stage.settings, stage.wakeups)
    runtime.__dict__["units"] = stage.units
    return runtime


async def want(stage: Stage, key: str = "key") -> UUID:
    return await stage.units.run(lambda unit: intents.enqueue_intent(unit, "call", ACCOUNT, key, {"a": 1}))


async def pending(stage: Stage) -> list[str]:
    rows = await stage.database.rows("SELECT key FROM collections.intents WHERE state = 'pending' ORDER BY key")
    return [row["key"] for row in rows]


async def test_one_call_is_pending_for_a_kind_and_key(stage: Stage, runtime: Runtime, outside: Outside) -> None:
    first = await want(stage)
    await want(stage)
    await want(stage, "another")
    assert await pending(stage) == ["another", "key"]
    await work(runtime)
    assert len(outside.asked) == 2
    assert first in outside.asked
    await want(stage)
    assert await pending(stage) == ["key"]


async def test_a_leased_intent_is_nobody_elses(stage: Stage) -> None:
    await want(stage)
    claimed = await stage.units.run(lambda unit: intents.claim_intents(unit, 5))
    assert [intent.attempts for intent in claimed] == [1]
    assert await stage.units.run(lambda unit: intents.claim_intents(unit, 5)) == []
    assert await stage.units.run(lambda unit: intents.lease_intent(unit, claimed[0].id)) is None


async def test_what_failed_is_due_again_at_a_later_business_time(
    stage: Stage, runtime: Runtime, outside: Outside
) -> None:
    outside.answers = [RetryLater("away"), RuntimeError("a defect"), "done"]
    wanted = await want(stage)
    await work(runtime)
    await stage.database.move(seconds=59)
    await work(runtime)
    assert outside.asked == [wanted]
    await stage.database.move(seconds=1)
    await work(runtime)
    assert outside.asked == [wanted] * 2
    await stage.database.move(minutes=4, seconds=59)
    await work(runtime)
    assert outside.asked == [wanted] * 2
    await stage.database.move(seconds=1)
    await work(runtime)
    assert (outside.asked, outside.recorded, await pending(stage)) == ([wanted] * 3, ["done"], [])


async def test_another_worker_goes_on_with_the_same_id_when_one_died(
    stage: Stage, runtime: Runtime, outside: Outside
) -> None:
    wanted = await want(stage)
    await stage.units.run(lambda unit: intents.claim_intents(unit, 5))  # and dies
    await work(runtime)
    assert outside.asked == []
    await stage.database.execute("UPDATE collections.intents SET leased_until = $1", clock.read_system_clock())
    await work(runtime)
    assert (outside.asked, await pending(stage)) == ([wanted], [])


@pytest.fixture
def another(runtime: Runtime) -> Runtime:
    """Another process of the same service."""
    other = Runtime(runtime.service, runtime.settings, runtime.wakeups)
    other.__dict__["units"] = runtime.units
    return other


async def leases(stage: Stage) -> list[tuple[bool, int]]:
    """Whether each intent is leased, and how often it was tried."""
    rows = await stage.database.rows("SELECT leased_until IS NOT NULL, attempts FROM collections.intents")
    return [tuple(row) for row in rows]


async def test_a_worker_that_is_told_to_end_hands_back_what_it_has_not_begun(
    stage: Stage, runtime: Runtime, another: Runtime, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = await want(stage)
    claimed, cancelled = asyncio.Event(), asyncio.Event()

    async def claim_slowly(unit: Unit, limit: int, claim: Any = intents.claim_intents) -> list[Intent]:
        batch: list[Intent] = await claim(unit, limit)
        claimed.set()
        await cancelled.wait()
        return batch

    with monkeypatch.context() as slow:
        slow.setattr(intents, "claim_intents", claim_slowly)
        working = asyncio.create_task(runtime.jobs.run())
        await claimed.wait()
        working.cancel()
        cancelled.set()
        with pytest.raises(asyncio.CancelledError):
            await working
    assert (outside.asked, await leases(stage)) == ([], [(False, 0)])
    await work(another)
    assert (outside.asked, await pending(stage)) == ([wanted], [])


async def test_a_call_that_was_begun_comes_to_its_end_when_the_worker_is_told_to_end(
    stage: Stage, runtime: Runtime, outside: Outside
) -> None:
    wanted = await want(stage)
    outside.answers, outside.may_answer = ["late"], asyncio.Event()
    working = asyncio.create_task(runtime.jobs.run())
    await outside.called.wait()
    working.cancel()
    await asyncio.sleep(0)
    outside.may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert (outside.asked, outside.recorded, await pending(stage)) == ([wanted], ["late"], [])


async def test_a_call_that_is_cut_off_keeps_its_lease(
    stage: Stage, runtime: Runtime, another: Runtime, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "FINISH", 0.05)
    wanted = await want(stage)
    outside.may_answer = asyncio.Event()
    working = asyncio.create_task(runtime.jobs.run())
    await outside.called.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    await work(another)
    assert (outside.asked, outside.recorded, await leases(stage)) == ([wanted], [], [(True, 1)])


async def test_a_result_is_recorded_once(stage: Stage, runtime: Runtime, outside: Outside) -> None:
    await want(stage)
    (claimed,) = await stage.units.run(lambda unit: intents.claim_intents(unit, 5))
    kind = IntentKind("call", outside.perform, outside.record)
    for result in ("first", "second"):
        await stage.units.run(lambda unit, text=result: intents.record_intent_result(unit, kind, claimed, text))  # type: ignore[misc]
    assert outside.recorded == ["first"]


@pytest.mark.parametrize(("says", "pause"), [(RecordingOutcome.RETRY_NOW, 0), (RecordingOutcome.RETRY_LATER, 60)])
async def test_a_result_may_want_another_attempt(
    stage: Stage, runtime: Runtime, outside: Outside, says: RecordingOutcome, pause: int
) -> None:
    await want(stage)
    (claimed,) = await stage.units.run(lambda unit: intents.claim_intents(unit, 5))
    outside.says = says
    kind = IntentKind("call", outside.perform, outside.record)
    await stage.units.run(lambda unit: intents.record_intent_result(unit, kind, claimed, "x"))
    due = await stage.database.rows("SELECT due_at, leased_until FROM collections.intents")
    assert [tuple(row) for row in due] == [(stage.database.now + timedelta(seconds=pause), None)]


async def let_break(stage: Stage, runtime: Runtime, outside: Outside, *faults: Exception) -> UUID:
    """Let a call be tried an hour later again and again, until each of these faults has happened; its id."""
    wanted = await want(stage)
    outside.answers = list(faults)
    for _ in faults:
        await work(runtime)
        await stage.database.move(hours=1)
    return wanted


async def retry_all(stage: Stage) -> int:
    """Have the calls that failed tried again, by a person."""
    cause = Cause("request", act=AuditedAct("anna", "work.retry", "mended"))
    return await stage.units.run(lambda unit: failed_work.retry_failed_work_items(unit, CALL), cause)


async def test_a_call_that_breaks_again_and_again_waits_for_a_person(
    stage: Stage, runtime: Runtime, outside: Outside
) -> None:
    wanted = await let_break(stage, runtime, outside, *[KeyError("Anna Berger")] * 3)
    await work(runtime)
    assert (len(outside.asked), await pending(stage)) == (3, [])
    (failed,) = await stage.units.run(
        lambda unit: failed_work.list_failed_work_items(unit, None, None, ACCOUNT, None, 10)
    )
    assert (failed.kind, failed.name, failed.subject, failed.error) == ("intent", "call", str(wanted), "KeyError")
    assert await stage.database.value("SELECT last_error FROM collections.intents") == "KeyError"
    assert await stage.database.value("SELECT count(*) FROM collections.pending_work WHERE kind = 'intent'") == 0
    assert await retry_all(stage) == 1
    await work(runtime)
    assert (len(outside.asked), outside.recorded, await pending(stage)) == (4, ["done"], [])


async def test_a_call_that_is_put_off_never_fails(stage: Stage, runtime: Runtime, outside: Outside) -> None:
    """Nor one whose other side or database is away: that passes by itself."""
    await let_break(
        stage, runtime, outside, *[RetryLater("away")] * 3, *[httpx2.ConnectError("away")] * 3, *[ConnectionError()] * 3
    )
    assert await pending(stage) == ["key"]
    await work(runtime)
    assert (len(outside.asked), outside.recorded) == (10, ["done"])


async def test_a_failed_call_that_is_wanted_anew_is_not_made_twice(
    stage: Stage, runtime: Runtime, outside: Outside
) -> None:
    await let_break(stage, runtime, outside, *[KeyError("a defect")] * 3)
    anew = await want(stage)
    assert await pending(stage) == ["key"], "what failed is in nobody's way"
    await retry_all(stage)
    await work(runtime)
    assert (len(outside.asked), outside.asked[-1], outside.recorded) == (4, anew, ["done"])
    rows = await stage.database.rows("SELECT state FROM collections.intents")
    assert {row["state"] for row in rows} == {"done"}


async def test_where_too_many_calls_break_their_kind_is_stopped(
    stage: Stage, runtime: Runtime, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.persistence.failed_work.FLOOD", 1)
    await let_break(stage, runtime, outside, *[KeyError("a defect")] * 3)
    await want(stage, "another")
    await work(runtime)
    assert (len(outside.asked), await pending(stage)) == (3, ["another"])
    assert await retry_all(stage) == 1
    await work(runtime)
    assert (len(outside.asked), await pending(stage)) == (5, [])


async def test_a_failed_call_that_nobody_wants_any_more_waits_for_no_person(
    stage: Stage, runtime: Runtime, outside: Outside
) -> None:
    await let_break(stage, runtime, outside, *[KeyError("a defect")] * 3)
    await stage.units.run(lambda unit: intents.cancel_intents(unit, "call", ["key"]))
    assert (
        await stage.units.run(lambda unit: failed_work.list_failed_work_items(unit, None, None, None, None, 10)) == []
    )
    assert await retry_all(stage) == 0
    await work(runtime)
    assert len(outside.asked) == 3
