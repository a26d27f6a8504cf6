"""A consumer that hangs is ended by its watch and started again by the launcher; one that only waits is not."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local import supervisor
from deploy.local.children import ChildProgram
from deploy.local.jars import CHECKOUT
from deploy.local.ports import find_free_port
from deploy.local.state import StackState
from deploy.local.supervisor import StackSupervisor
from shared.base import kafka
from shared.base.retries import QUICK_ATTEMPTS
from shared.base.settings import Settings
from tests.component.shared.rehearsal import SERVICE
from tests.end_to_end.backbone import dying
from tests.end_to_end.backbone.dying import ONCE, SESSION
from tests.end_to_end.backbone.loops import looping, relay, until
from tests.end_to_end.backbone.processes import Process
from tests.end_to_end.backbone.rehearsals import Rehearsal

pytestmark = pytest.mark.xdist_group("kafka")
REPLACED_WITHIN = 30.0
HUNG_AFTER = 2.0


def test_with_the_settings_as_they_are_it_is_replaced_in_time() -> None:
    silent = float(Settings.model_fields["hung_after"].default)
    until_seen = silent / 4  # the pause between two looks
    until_believed = min(1.0, silent / 4)  # the second look
    assert silent + until_seen + until_believed + supervisor.FIRST_PAUSE < REPLACED_WITHIN
    # Its successor waits for the end of its session, and must not be taken for hung meanwhile; nor one that waits
    # for locks in all attempts of a unit.
    assert silent > 1.5 * kafka.SESSION_TIMEOUT
    assert silent > 1.5 * QUICK_ATTEMPTS * float(Settings.model_fields["lock_timeout"].default)


async def test_one_whose_loop_is_blocked_is_replaced(rehearsal: Rehearsal, tmp_path: Path) -> None:
    lines: list[str] = []
    stage, accounts, launcher = rehearsal.stage, [uuid4() for _ in range(3)], rehearsal.launcher
    launcher.more = {"GOODSTANDING_HUNG_AFTER": str(2 * SESSION), ONCE: str(tmp_path / "once")}
    environment = launcher.environment(rehearsal.name, stage.settings.kafka, find_free_port())
    command = (sys.executable, "-m", dying.__name__, "blocked in a handler", "run", rehearsal.name, "consumer")
    keeper = StackSupervisor(StackState(tmp_path / "state"), lines.append)
    async with looping(relay(stage)):
        await rehearsal.publish(accounts, 1, 2)
        try:
            keeper.start(ChildProgram("consumer", command, os.environ | environment, directory=CHECKOUT))
            await rehearsal.had(6)
        finally:
            await keeper.stop()
    assert lines == ["consumer ended with 70; starting it again in 0.5 s"]
    await rehearsal.each_once(accounts, 2)


async def test_one_that_is_stuck_says_so_before_it_is_replaced(rehearsal: Rehearsal, tmp_path: Path) -> None:
    rehearsal.launcher.more = {"GOODSTANDING_HUNG_AFTER": str(2 * SESSION), ONCE: str(tmp_path / "once")}
    async with looping(relay(rehearsal.stage)), rehearsal.run("consumer", "waiting in a handler") as consumer:
        await until(consumer.is_ready)
        await rehearsal.publish([uuid4()], 1)
        await until(lambda: says(consumer, "stuck: nothing has advanced, though there is something to read"))
        assert (await consumer.ready())[0] == 503
        assert await consumer.code(30) == 70


async def test_one_that_only_waits_is_left_alone(rehearsal: Rehearsal) -> None:
    stage, account, poison = rehearsal.stage, uuid4(), uuid4()
    limits = {"HUNG_AFTER": str(HUNG_AFTER), "LOCK_TIMEOUT": "0.05", "FLOOD_HEADS": "1"}
    rehearsal.launcher.more = {f"GOODSTANDING_{name}": value for name, value in limits.items()}
    await rehearsal.break_on((poison, 1))
    async with looping(relay(stage)), rehearsal.run("consumer") as consumer:
        await until(consumer.is_ready)
        await rehearsal.publish([account], 1)
        await rehearsal.had(1)
        await survives(consumer)  # idle
        async with stage.database.connected() as other, other.transaction():
            await other.execute(f"LOCK TABLE {SERVICE}.watermarks")
            await rehearsal.publish([account], 2)
            await until(lambda: says(consumer, "waiting for Postgres"))
            await survives(consumer)  # with something to read
        await rehearsal.had(2)
        await rehearsal.publish([poison], 1)
        await until(lambda: says(consumer, "stopped"))
        await rehearsal.publish([account], 3)
        await rehearsal.wait_until_empty()
        await survives(consumer)  # with something to read
        assert await says(consumer, "stopped")
    assert await stage.effects(account) == [1, 2]


async def survives(process: Process) -> None:
    """It lives for longer than its watch needs to find that it is hung."""
    with pytest.raises(subprocess.TimeoutExpired):
        await process.code(2.5 * HUNG_AFTER)


async def says(process: Process, state: str) -> bool:
    """Whether the consumer says so."""
    return await process.says("consumer") == state
