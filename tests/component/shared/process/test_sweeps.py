"""Sweeps: a subject that breaks one holds up neither the others nor the process."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from shared.persistence import failed_work
from shared.persistence.audit import AuditedAct
from shared.persistence.database import Cause, Unit
from shared.persistence.failed_work import WorkKind
from shared.process.sweeps import Sweep, SweepRunner
from shared.pure.errors import Unavailable
from tests.component.shared.rehearsal import SERVICE, Stage

BROKEN, ALSO_BROKEN, SOUND, LOCKED = (UUID(int=n) for n in (5, 6, 7, 8))
DUE = "SELECT subject FROM due_rehearsal WHERE due_at <= $1 AND NOT is_judged ORDER BY due_at"


async def judge(unit: Unit, subjects: list[str]) -> None:
    """Judge all of them, or break."""
    await unit.connection.execute("UPDATE due_rehearsal SET is_judged = true WHERE subject = ANY($1)", subjects)
    if {str(BROKEN), str(ALSO_BROKEN)} & set(subjects):
        await unit.connection.execute("SELECT 1 / 0")
    if str(LOCKED) in subjects:
        await unit.connection.execute("DO $$ BEGIN RAISE lock_not_available; END $$")


REHEARSE = Sweep("rehearse", DUE, judge, set_based=True)


@pytest.fixture
async def sweeper(stage: Stage) -> SweepRunner:
    await stage.database.execute(
        f"CREATE TABLE {SERVICE}.due_rehearsal (subject text, due_at timestamptz, is_judged boolean)"
    )
    await stage.database.execute(f"GRANT SELECT, UPDATE ON {SERVICE}.due_rehearsal TO {SERVICE}")
    return make_sweeper(stage, REHEARSE)


def make_sweeper(stage: Stage, *sweeps: Sweep) -> SweepRunner:
    """Make what runs these sweeps."""
    return SweepRunner(stage.units, sweeps, chunk=2000, interval=0.5)


async def want(stage: Stage, subjects: list[UUID]) -> None:
    """Let subjects be due, one after the other."""
    for subject in subjects:
        await stage.units.run(lambda unit, subject=subject: unit.lock_subjects(subject))  # type: ignore[misc]
    await stage.database.execute(
        f"INSERT INTO {SERVICE}.due_rehearsal SELECT subject, '2026-01-01', false FROM unnest($1::text[]) AS subject",
        [str(subject) for subject in subjects],
    )


async def list_unjudged(stage: Stage) -> list[str]:
    """List those that are not judged."""
    rows = await stage.database.rows(f"SELECT subject FROM {SERVICE}.due_rehearsal WHERE NOT is_judged")
    return [row["subject"] for row in rows]


async def list_failed(stage: Stage) -> list[str]:
    """List those that are set aside."""
    rows = await stage.database.rows(f"SELECT subject FROM {SERVICE}.failed_work ORDER BY subject")
    return [row["subject"] for row in rows]


async def retry_all(stage: Stage) -> int:
    """Have all that failed tried again, by a person."""
    cause = Cause("request", act=AuditedAct("anna", "work.retry", "mended"))
    return await stage.units.run(lambda unit: failed_work.retry_failed_work_items(unit, REHEARSE.sweep_name), cause)


def count_failures() -> float:
    labels = {"kind": "sweep", "name": "rehearse"}
    return REGISTRY.get_sample_value("goodstanding_work_failures_total", labels) or 0.0


def ended_well(name: str) -> float | None:
    """When a job last ended well (seconds since 1970)."""
    return REGISTRY.get_sample_value("goodstanding_job_last_success_timestamp_seconds", {"name": name})


async def test_a_subject_that_breaks_a_sweep_is_set_aside_and_the_others_are_judged(
    stage: Stage, sweeper: SweepRunner
) -> None:
    before = count_failures()
    await want(stage, [uuid4(), uuid4(), BROKEN, uuid4(), uuid4()])
    assert await sweeper.run_due_sweeps() is True
    assert await list_unjudged(stage) == await list_failed(stage) == [str(BROKEN)]
    assert count_failures() - before == 1
    assert await sweeper.run_due_sweeps() is False, "it is passed over, and nobody waits for it"
    await want(stage, [uuid4()])
    await make_sweeper(stage, REHEARSE).run_due_sweeps()
    assert await list_unjudged(stage) == [str(BROKEN)], "another process passes it over, too"
    assert count_failures() - before == 1


async def test_what_was_set_aside_is_tried_again_when_a_person_says_so(stage: Stage, sweeper: SweepRunner) -> None:
    before = count_failures()
    await want(stage, [BROKEN])
    await sweeper.run_due_sweeps()
    await sweeper.run_due_sweeps()
    assert count_failures() - before == 1
    assert await retry_all(stage) == 1
    assert await list_failed(stage) == []
    await sweeper.run_due_sweeps()
    assert (count_failures() - before, await list_failed(stage)) == (2, [str(BROKEN)])


async def test_what_passes_by_itself_is_never_set_aside(stage: Stage, sweeper: SweepRunner) -> None:
    """A lock that is not to be had (SQLSTATE 55P03) says nothing of the account."""
    await want(stage, [LOCKED])
    with pytest.raises(Unavailable):
        await sweeper.run_due_sweeps()
    assert (await list_failed(stage), await list_unjudged(stage)) == ([], [str(LOCKED)])


async def test_where_too_many_break_it_the_sweep_is_stopped_until_a_person_lets_it_go_on(
    stage: Stage, sweeper: SweepRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.persistence.failed_work.FLOOD", 2)
    await want(stage, [BROKEN, ALSO_BROKEN, SOUND])
    await sweeper.run_due_sweeps()
    assert await list_failed(stage) == [str(BROKEN), str(ALSO_BROKEN)]
    ended = ended_well("rehearse")
    later = uuid4()
    await want(stage, [later])
    assert await make_sweeper(stage, REHEARSE).run_due_sweeps() is False, "stopped in every process"
    assert str(later) in await list_unjudged(stage)
    assert ended_well("rehearse") == ended, "JobMissed must tell of it"
    (stopped,) = await stage.units.run(failed_work.list_stopped_work_items)
    assert (stopped.kind, stopped.name) == (WorkKind.SWEEP, "rehearse")
    monkeypatch.setattr("shared.persistence.failed_work.FLOOD", 20)
    assert await retry_all(stage) == 2
    await sweeper.run_due_sweeps()
    assert str(later) not in await list_unjudged(stage)
    assert await stage.units.run(failed_work.list_stopped_work_items) == []


async def test_failures_of_long_ago_stop_nothing(
    stage: Stage, sweeper: SweepRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.persistence.failed_work.FLOOD", 2)
    await want(stage, [BROKEN])
    await sweeper.run_due_sweeps()
    await stage.database.execute(f"UPDATE {SERVICE}.failed_work SET failed_at = failed_at - interval '61 minutes'")
    await want(stage, [ALSO_BROKEN])
    await sweeper.run_due_sweeps()
    assert await list_failed(stage) == [str(BROKEN), str(ALSO_BROKEN)]
    assert await stage.units.run(failed_work.list_stopped_work_items) == []


async def test_one_read_tells_that_nothing_is_due(
    stage: Stage, sweeper: SweepRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = make_sweeper(stage, Sweep("idle", DUE, judge), REHEARSE)
    monkeypatch.setattr(stage.units, "run", None)
    assert await idle.run_due_sweeps() is False, "and no unit was begun"
    assert ended_well("idle") is not None, "else JobMissed would tell of it"


async def test_subjects_that_another_sweep_made_due_are_judged_in_the_next_round(
    stage: Stage, sweeper: SweepRunner
) -> None:
    async def follow(unit: Unit, subjects: list[str]) -> None:
        await unit.connection.execute("DELETE FROM due_rehearsal WHERE subject = ANY($1)", subjects)

    judged = "SELECT subject FROM due_rehearsal WHERE is_judged AND due_at <= $1 ORDER BY due_at"
    await stage.database.execute(f"GRANT DELETE ON {SERVICE}.due_rehearsal TO {SERVICE}")
    await want(stage, [uuid4()])
    both = make_sweeper(stage, REHEARSE, Sweep("follow", judged, follow))
    assert [await both.run_due_sweeps() for _ in range(3)] == [True, True, False]
    assert await stage.database.rows(f"SELECT 1 FROM {SERVICE}.due_rehearsal") == []


async def test_only_a_sweep_with_something_due_opens_a_unit(
    stage: Stage, sweeper: SweepRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = "SELECT subject FROM due_rehearsal WHERE due_at < $1 AND due_at > $1"
    opened, run = [], stage.units.run

    async def note_and_run(action: Any, *more: Any) -> Any:
        opened.append(action)
        return await run(action, *more)

    await want(stage, [uuid4()])
    monkeypatch.setattr(stage.units, "run", note_and_run)
    assert await make_sweeper(stage, REHEARSE, Sweep("idle", nothing, judge)).run_due_sweeps() is True
    assert len(opened) == 1


async def test_a_sweep_whose_query_breaks_stops_no_other(stage: Stage, sweeper: SweepRunner) -> None:
    broken = Sweep("broken", "SELECT (1 / (extract(epoch FROM $1::timestamptz)::int * 0))::text", judge)
    await want(stage, [uuid4()])
    assert await make_sweeper(stage, broken, REHEARSE).run_due_sweeps() is True
    assert (await list_unjudged(stage), await list_failed(stage)) == ([], [])
    assert ended_well("broken") is None, "JobMissed must tell of it"
