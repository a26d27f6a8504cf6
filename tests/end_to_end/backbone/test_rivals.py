"""Two processes for one piece of work: one is killed or frozen, the other goes on, and the late one does no harm."""

import asyncio
import signal
import time
from uuid import uuid4

import pytest

from tests.component.shared.rehearsal import SERVICE
from tests.end_to_end.backbone.loops import list_published, looping, relay, sequences, until
from tests.end_to_end.backbone.processes import Process
from tests.end_to_end.backbone.rehearsals import Rehearsal

pytestmark = pytest.mark.xdist_group("kafka")
TAKE_OVER_WITHIN = 5.0
END_LEADER = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def test_the_second_relay_takes_over_from_one_that_was_killed(rehearsal: Rehearsal) -> None:
    accounts = [uuid4() for _ in range(5)]
    async with rehearsal.run("relay") as first:
        await until(lambda: says(first, "relay", "leading"))
        async with rehearsal.run("relay") as second:
            await until(lambda: says(second, "relay", "standing by"))
            await rehearsal.publish(accounts, 1, 2)
            await rehearsal.wait_until_empty()
            assert await second.says("relay") == "standing by"
            died = time.monotonic()
            first.child.kill()
            await rehearsal.publish(accounts, 3)
            await rehearsal.wait_until_empty()
            assert time.monotonic() - died < TAKE_OVER_WITHIN
            assert await second.says("relay") == "leading"
    records = await list_published(rehearsal.stage)
    assert [sequences(records, account) for account in accounts] == [[1, 2, 3]] * 5


async def test_a_relay_that_was_frozen_amid_its_sends_comes_too_late(rehearsal: Rehearsal) -> None:
    stage, accounts = rehearsal.stage, [uuid4(), uuid4()]
    await rehearsal.publish(accounts, 1, 2, 3)
    async with rehearsal.run("relay", "frozen amid the sends") as late:
        await until(late.is_frozen)
        async with rehearsal.run("relay") as heir:
            await until(lambda: says(heir, "relay", "standing by"))
            await stage.database.execute(END_LEADER)
            await rehearsal.wait_until_empty()
            await rehearsal.publish(accounts, 4)
            await rehearsal.wait_until_empty()
            assert await heir.end() == 0
        await rehearsal.publish(accounts, 5)  # nobody has sent these when the late one wakes
        late.child.send_signal(signal.SIGCONT)
        await rehearsal.wait_until_empty()
        records = await list_published(stage)
    # The late one sent what had been sent, after newer ones; what it had not sent it did not delete.
    first = sequences(records, accounts[0])
    assert first.count(3) > 1
    assert [list(dict.fromkeys(sequences(records, account))) for account in accounts] == [[1, 2, 3, 4, 5]] * 2
    async with rehearsal.run("consumer"):
        await rehearsal.had(10)
        await until(lambda: everything_read(rehearsal, len(records)))
    await rehearsal.each_once(accounts, 5)


async def test_a_consumer_is_killed_amid_a_batch(rehearsal: Rehearsal) -> None:
    accounts = [uuid4() for _ in range(24)]
    async with (
        looping(relay(rehearsal.stage)),
        rehearsal.run("consumer", "amid a batch") as first,
        rehearsal.run("consumer"),
    ):
        await until(lambda: shared_by(rehearsal, 2))
        await rehearsal.publish(accounts, *range(1, 11))
        await first.wait_until_killed()
        await rehearsal.publish(accounts, 11, 12)
        await rehearsal.had(24 * 12)
    await rehearsal.each_once(accounts, 12)


async def test_a_consumer_thaws_when_its_partitions_are_anothers(rehearsal: Rehearsal) -> None:
    accounts = [uuid4() for _ in range(12)]
    async with looping(relay(rehearsal.stage)), rehearsal.run("consumer", "frozen with a batch") as late:
        await until(lambda: shared_by(rehearsal, 1))  # what it reads before would find it amid its own transaction
        await rehearsal.publish(accounts, 1, 2)
        await until(late.is_frozen)
        async with rehearsal.run("consumer"):
            await rehearsal.had(24)
            late.child.send_signal(signal.SIGCONT)
            await until(lambda: has_written(late, b"partition lost, batch dropped"))
            await rehearsal.publish(accounts, 3)
            await rehearsal.had(36)
            assert late.child.poll() is None
    await rehearsal.each_once(accounts, 3)


async def test_what_a_consumer_holds_that_froze_amid_a_transaction_is_free_after_a_while(rehearsal: Rehearsal) -> None:
    rehearsal.launcher.more = {"GOODSTANDING_IDLE_TRANSACTION": "2"}
    accounts = [uuid4() for _ in range(12)]
    async with looping(relay(rehearsal.stage)), rehearsal.run("consumer", "frozen in a handler") as late:
        await until(lambda: shared_by(rehearsal, 1))
        await rehearsal.publish(accounts, 1, 2)
        await until(late.is_frozen)
        async with rehearsal.run("consumer"):
            await rehearsal.had(24)
            late.child.send_signal(signal.SIGCONT)
            await rehearsal.publish(accounts, 3)
            await rehearsal.had(36)
            assert late.child.poll() is None
    await rehearsal.each_once(accounts, 3)


async def says(process: Process, part: str, state: str) -> bool:
    """Whether the part of the process says so."""
    return await process.says(part) == state


async def has_written(process: Process, line: bytes) -> bool:
    """Whether the process has written this to its log."""
    return line in await asyncio.to_thread(process.log.read_bytes)


async def shared_by(rehearsal: Rehearsal, number: int) -> bool:
    """Whether so many members own all partitions."""
    query = f"SELECT count(DISTINCT owner) = $1 AND count(owner) = 6 FROM {SERVICE}.consumed"
    return bool(await rehearsal.stage.database.value(query, number))


async def everything_read(rehearsal: Rehearsal, number: int) -> bool:
    """Whether the group has read so many messages."""
    query = f"SELECT sum(next_offset) = $1 FROM {SERVICE}.consumed"
    return bool(await rehearsal.stage.database.value(query, number))
