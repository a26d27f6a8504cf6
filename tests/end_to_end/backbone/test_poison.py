"""Poison, with the real command line: it stops its subject; a flood of it stops the group until it is told."""

import asyncio
from uuid import uuid4

import pytest

from tests.component.shared.rehearsal import SERVICE
from tests.end_to_end.backbone.loops import looping, relay, until
from tests.end_to_end.backbone.processes import Process
from tests.end_to_end.backbone.rehearsals import Rehearsal

pytestmark = pytest.mark.xdist_group("kafka")


async def test_poison_waits_for_a_redrive_while_new_events_come(rehearsal: Rehearsal) -> None:
    stage, sick, worse, well = rehearsal.stage, uuid4(), uuid4(), uuid4()
    await rehearsal.break_on((sick, 2), (worse, 1))
    async with looping(relay(stage)), rehearsal.run("consumer") as consumer:
        await rehearsal.publish([sick, worse, well], 1, 2, 3)
        await rehearsal.had(4)
        await until(lambda: waits(rehearsal, 5))
        assert [await stage.effects(subject) for subject in (sick, worse, well)] == [[1], [], [1, 2, 3]]
        assert await stage.waiting(sick) == {2: "Broken: cannot do 2", 3: None}
        await rehearsal.mend()
        redriven = asyncio.create_task(rehearsal.redrive("--subject", str(sick), "--actor", "operator 3"))
        last = 3
        while not redriven.done():
            last += 1
            await rehearsal.publish([sick, well], last)
        assert (await redriven)[0] == 0
        await rehearsal.publish([sick, well], last + 1)
        await rehearsal.had(1 + 2 * (last + 1) - 1)
        assert [await stage.effects(subject) for subject in (sick, well)] == [list(range(1, last + 2))] * 2
        await give_up(rehearsal, str(worse))
        assert await stage.effects(worse) == [2, 3]
        assert consumer.child.poll() is None
    assert await waits(rehearsal, 0)


async def give_up(rehearsal: Rehearsal, subject: str) -> None:
    """Give the head of the subject up: refused without who and why."""
    database = rehearsal.stage.database
    head = await database.value(f"SELECT event_id FROM {SERVICE}.parked WHERE subject = $1 AND sequence = 1", subject)
    for missing in ((), ("--actor", "operator 3"), ("--reason", "mistake"), ("--actor", "", "--reason", "mistake")):
        assert (await rehearsal.redrive("--skip", head, *missing))[0] == 2
    assert await waits(rehearsal, 3)
    code, said = await rehearsal.redrive("--skip", head, "--actor", "operator 3", "--reason", "mistake")
    assert code == 0, said
    kept = await database.rows(f"SELECT event_id, actor, reason FROM {SERVICE}.skipped")
    assert [tuple(row) for row in kept] == [(head, "operator 3", "mistake")]


async def test_a_flood_of_poison_stops_the_group_loudly_until_it_is_told(rehearsal: Rehearsal) -> None:
    stage, accounts, good = rehearsal.stage, [uuid4() for _ in range(20)], uuid4()
    await rehearsal.break_on(*((account, 1) for account in accounts))
    async with looping(relay(stage)):
        async with rehearsal.run("consumer") as consumer:
            await rehearsal.publish(accounts[:19], 1)
            await until(lambda: waits(rehearsal, 19))
            await rehearsal.publish([good], 1)
            await rehearsal.had(1)  # 19 are no flood
            await rehearsal.publish(accounts[19:], 1)
            await until(lambda: is_stopped(consumer))
            assert await consumer.end() == 0
            errors = [line for line in consumer.log.read_text().splitlines() if "20 events were parked within" in line]
            assert errors
            assert '"level": "error"' in errors[0].replace('"level":"error"', '"level": "error"')
        await rehearsal.publish([good], 2)
        async with rehearsal.run("consumer") as consumer:
            await until(lambda: is_stopped(consumer))
            await rehearsal.wait_until_empty()
            assert await stage.effects(good) == [1]
            assert (await rehearsal.redrive("--resume", "--actor", "operator 3"))[0] == 0
            await rehearsal.had(2)
            await until(consumer.is_ready)


async def waits(rehearsal: Rehearsal, number: int) -> bool:
    """Whether so many events are parked."""
    return bool(await rehearsal.stage.database.value(f"SELECT count(*) = $1 FROM {SERVICE}.parked", number))


async def is_stopped(process: Process) -> bool:
    """Whether the process says that it is stopped, and is not ready."""
    status, parts = await process.ready()
    return status == 503 and parts["consumer"] == {"ok": False, "state": "stopped"}
