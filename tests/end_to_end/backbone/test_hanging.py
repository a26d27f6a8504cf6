"""A consumer that hangs is ended by its watch and started again by the launcher; one that only waits is not."""

import os
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local import supervisor
from deploy.local.children import Program
from deploy.local.jars import CHECKOUT
from deploy.local.ports import free_port
from deploy.local.state import State
from deploy.local.supervisor import Supervisor
from shared.settings import Settings
from tests.component.backbone.rehearsal import SERVICE
from tests.end_to_end.backbone.dying import LOOKS, ONCE
from tests.end_to_end.backbone.loops import looping, relay, until
from tests.end_to_end.backbone.processes import Process, program
from tests.end_to_end.backbone.rehearsals import Rehearsal

pytestmark = pytest.mark.xdist_group("kafka")
REPLACED_WITHIN = 30.0


def test_with_the_settings_as_they_are_it_is_replaced_in_time() -> None:
    silent = float(Settings.model_fields["hung_after"].default)
    until_seen = silent / 4  # the pause between two looks
    until_believed = min(1.0, silent / 4)  # the second look
    assert silent + until_seen + until_believed + supervisor.FIRST_PAUSE < REPLACED_WITHIN


@pytest.mark.parametrize("point", ["blocked in a handler", "waiting in a handler"])
async def test_one_that_hangs_is_replaced(rehearsal: Rehearsal, tmp_path: Path, point: str) -> None:
    told: list[str] = []
    stage, accounts, launcher = rehearsal.stage, [uuid4() for _ in range(3)], rehearsal.launcher
    launcher.more = {"GOODSTANDING_HUNG_AFTER": "2", ONCE: str(tmp_path / "once")}
    environment = launcher.environment(rehearsal.name, stage.settings.kafka, free_port())
    command = tuple(program("run", rehearsal.name, "consumer", point=point))
    keeper = Supervisor(State(tmp_path / "state"), told.append)
    async with looping(relay(stage)):
        await rehearsal.publish(accounts, 1, 2)
        try:
            keeper.start(Program("consumer", command, os.environ | environment, directory=CHECKOUT))
            await rehearsal.had(6)
        finally:
            await keeper.stop()
    assert told == ["consumer ended with 70; starting it again in 0.5 s"]
    await rehearsal.each_once(accounts, 2)


async def test_one_that_only_waits_is_left_alone(rehearsal: Rehearsal, tmp_path: Path) -> None:
    stage, account, looks = rehearsal.stage, uuid4(), tmp_path / "looks"
    rehearsal.launcher.more = {"GOODSTANDING_HUNG_AFTER": "0.5", LOOKS: str(looks)}

    async def watched() -> None:
        """Be looked at often enough to be taken for hung."""
        wanted = looks_at(looks) + 4

        async def looked() -> bool:
            return looks_at(looks) >= wanted

        await until(looked)

    async with looping(relay(stage)), rehearsal.run("consumer", "watched") as consumer:
        await rehearsal.publish([account], 1)
        await rehearsal.had(1)
        await watched()  # idle
        await stage.database.execute(f"INSERT INTO {SERVICE}.stopped VALUES (1, 'a test', now())")
        await stop_at_the_next_flood(rehearsal)
        await until(lambda: says(consumer, "stopped"))
        await rehearsal.publish([account], 2)
        await rehearsal.emptied()
        await watched()  # stopped, with something to read
        await stage.database.execute(f"DELETE FROM {SERVICE}.stopped")
        await rehearsal.had(2)
        async with stage.database.connected() as locking:
            await locking.execute(f"BEGIN; LOCK TABLE {SERVICE}.watermarks")
            await rehearsal.publish([account], 3)
            await until(lambda: says(consumer, "waiting for Postgres"))
            await watched()  # waiting for Postgres, with something to read
            assert consumer.child.poll() is None
            await locking.execute("ROLLBACK")
        await rehearsal.had(3)
        assert consumer.child.poll() is None
    assert await stage.effects(account) == [1, 2, 3]


async def stop_at_the_next_flood(rehearsal: Rehearsal) -> None:
    """A head lets the consumer look whether its group is stopped."""
    poison = uuid4()
    await rehearsal.break_on((poison, 1))
    await rehearsal.publish([poison], 1)


def looks_at(looks: Path) -> int:
    """How many times the watch has looked."""
    return len(looks.read_text()) if looks.exists() else 0


async def says(process: Process, state: str) -> bool:
    """Whether the consumer says so."""
    return await process.says("consumer") == state
