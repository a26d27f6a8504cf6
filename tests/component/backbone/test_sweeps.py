"""Sweeps: a subject that breaks one holds up neither the others nor the process."""

from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from shared.database import Unit
from shared.jobs import Jobs, Sweep
from shared.runtime import Runtime
from shared.service import load
from tests.component.backbone.rehearsal import SERVICE, Stage

BROKEN, ALSO_BROKEN = UUID(int=5), UUID(int=6)
DUE = "SELECT subject FROM due_rehearsal WHERE due_at <= $1 AND NOT is_judged ORDER BY due_at"


async def judge(unit: Unit, subjects: list[str]) -> None:
    """Judge all of them, or break."""
    await unit.connection.execute("UPDATE due_rehearsal SET is_judged = true WHERE subject = ANY($1)", subjects)
    if {str(BROKEN), str(ALSO_BROKEN)} & set(subjects):
        await unit.connection.execute("SELECT 1 / 0")


@pytest.fixture
async def jobs(stage: Stage) -> Jobs:
    await stage.database.execute(
        f"CREATE TABLE {SERVICE}.due_rehearsal (subject text, due_at timestamptz, is_judged boolean)"
    )
    await stage.database.execute(f"GRANT SELECT, UPDATE ON {SERVICE}.due_rehearsal TO {SERVICE}")
    service = load(SERVICE)
    runtime = Runtime(type(service)(service.name, service.summary, (), service.tables), stage.settings, stage.wakeups)
    runtime.__dict__["units"] = stage.units
    return Jobs(runtime, (Sweep("rehearse", DUE, judge, set_based=True),), ())


async def want(stage: Stage, subjects: list[UUID]) -> None:
    """Let subjects be due, one after the other."""
    for subject in subjects:
        await stage.units.run(lambda unit, subject=subject: unit.lock(subject))  # type: ignore[misc]
    await stage.database.execute(
        f"INSERT INTO {SERVICE}.due_rehearsal SELECT subject, '2026-01-01', false FROM unnest($1::text[]) AS subject",
        [str(subject) for subject in subjects],
    )


async def list_unjudged(stage: Stage) -> list[str]:
    """List those that are not judged."""
    rows = await stage.database.rows(f"SELECT subject FROM {SERVICE}.due_rehearsal WHERE NOT is_judged")
    return [row["subject"] for row in rows]


def set_aside() -> float:
    return REGISTRY.get_sample_value("goodstanding_job_set_aside_total", {"name": "rehearse"}) or 0.0


def ended_well(name: str) -> float | None:
    """When a job last ended well (seconds since 1970)."""
    return REGISTRY.get_sample_value("goodstanding_job_last_success_timestamp_seconds", {"name": name})


async def test_a_subject_that_breaks_a_sweep_is_set_aside_and_the_others_are_judged(stage: Stage, jobs: Jobs) -> None:
    before, ended_before = set_aside(), ended_well("rehearse")
    await want(stage, [uuid4(), uuid4(), BROKEN, uuid4(), uuid4()])
    assert await jobs.sweep_once() is True
    assert await list_unjudged(stage) == [str(BROKEN)]
    assert set_aside() - before == 1
    assert ended_well("rehearse") == ended_before, "JobMissed must tell of it"
    assert await jobs.sweep_once() is False, "it is passed over, and nobody waits for it"
    await want(stage, [uuid4()])
    await jobs.sweep_once()
    assert await list_unjudged(stage) == [str(BROKEN)]
    assert set_aside() - before == 1


async def test_what_was_set_aside_is_tried_again(stage: Stage, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.jobs.SET_ASIDE", 0.0)
    before = set_aside()
    await want(stage, [BROKEN])
    await jobs.sweep_once()
    await jobs.sweep_once()
    assert set_aside() - before == 2


async def test_where_too_many_break_it_the_sweep_is_broken_and_not_they(
    stage: Stage, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.jobs.MOST_SET_ASIDE", 1)
    before = set_aside()
    await want(stage, [BROKEN, ALSO_BROKEN])
    for _ in range(3):
        await jobs.sweep_once()
    assert sorted(await list_unjudged(stage)) == [str(BROKEN), str(ALSO_BROKEN)]
    assert set_aside() - before == 1


async def test_a_sweep_whose_query_breaks_stops_no_other(stage: Stage, jobs: Jobs) -> None:
    others = jobs._sweeps
    jobs._sweeps = (
        Sweep("broken", "SELECT (1 / (extract(epoch FROM $1::timestamptz)::int * 0))::text", judge),
        *others,
    )
    await want(stage, [uuid4()])
    assert await jobs.sweep_once() is True
    assert await list_unjudged(stage) == []
    assert ended_well("broken") is None, "JobMissed must tell of it"
