"""The process dies between two steps that are not one: nothing is lost, each effect is had once, and in order."""

from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events import PARTITIONS
from tests.component.shared.rehearsal import SERVICE
from tests.end_to_end.backbone.loops import list_published, sequences, until
from tests.end_to_end.backbone.rehearsals import Rehearsal

WHO = ("--actor", "operator 3")
pytestmark = pytest.mark.xdist_group("kafka")


@pytest.mark.parametrize(
    ("point", "on_the_topic"),
    [
        ("between commit and publish", [[1, 2, 3]]),
        # What was sent before the death may or may not have reached the broker.
        ("amid the sends", [[1, 2, 3], [1, 1, 2, 3], [1, 2, 1, 2, 3], [1, 2, 3, 1, 2, 3]]),
        ("between acknowledgement and delete", [[1, 2, 3, 1, 2, 3]]),
    ],
)
async def test_the_relay_dies(rehearsal: Rehearsal, point: str, on_the_topic: list[list[int]]) -> None:
    stage, accounts = rehearsal.stage, [uuid4(), uuid4()]
    await rehearsal.publish(accounts, 1, 2, 3)
    async with rehearsal.run("relay", point) as relay:
        await relay.wait_until_killed()
    assert len(await stage.outbox()) == 6
    async with rehearsal.run("relay"):
        await rehearsal.wait_until_empty()
        await rehearsal.publish(accounts, 4)
        await rehearsal.wait_until_empty()
    records = await list_published(stage)
    for account in accounts:
        sent = sequences(records, account)
        assert (sent[:-1], sent[-1]) in [(sequence, 4) for sequence in on_the_topic]
    async with rehearsal.run("consumer"):
        await rehearsal.had(8)
        await until(lambda: read_to_the_end(rehearsal))
    await rehearsal.each_once(accounts, 4)


async def test_the_consumer_dies_before_it_tells_kafka(rehearsal: Rehearsal) -> None:
    stage, accounts = rehearsal.stage, [uuid4() for _ in range(6)]
    await rehearsal.publish(accounts, 1, 2, 3)
    async with rehearsal.run("relay"):
        await rehearsal.wait_until_empty()
        async with rehearsal.run("consumer", "between commit and offset") as consumer:
            await consumer.wait_until_killed()
        assert await stage.database.value(f"SELECT count(*) FROM {SERVICE}.effects") > 0
        assert await count_committed(rehearsal) == 0
        await rehearsal.publish(accounts, 4)
        async with rehearsal.run("consumer") as consumer:
            await until(lambda: read_to_the_end(rehearsal))
            assert await consumer.end() == 0
    await rehearsal.each_once(accounts, 4)
    assert await count_committed(rehearsal) == 24


@pytest.mark.parametrize("point", ["amid a subject", "between two subjects"])
async def test_a_redrive_dies(rehearsal: Rehearsal, point: str) -> None:
    accounts = [uuid4(), uuid4()]
    await rehearsal.break_on(*((account, 1) for account in accounts))
    await rehearsal.publish(accounts, 1, 2, 3)
    async with rehearsal.run("relay"), rehearsal.run("consumer"):
        await until(lambda: has_parked(rehearsal, 6))
        await rehearsal.mend()
        assert (await rehearsal.redrive(*WHO, point=point))[0] == -9
        done = {"amid a subject": 0, "between two subjects": 3}[point]
        assert await has_parked(rehearsal, 6 - done)
        code, said = await rehearsal.redrive(*WHO)
        assert (code, said.strip()) == (0, str({"applied": 6 - done}))
        await rehearsal.publish(accounts, 4)
        await rehearsal.had(8)
    await rehearsal.each_once(accounts, 4)


async def test_a_redrive_dies_when_it_has_given_a_head_up(rehearsal: Rehearsal) -> None:
    stage, account = rehearsal.stage, uuid4()
    await rehearsal.break_on((account, 1))
    await rehearsal.publish([account], 1, 2, 3)
    async with rehearsal.run("relay"), rehearsal.run("consumer"):
        await until(lambda: has_parked(rehearsal, 3))
        head = await stage.database.value(f"SELECT event_id FROM {SERVICE}.parked WHERE sequence = 1")
        give_up = ("--skip", head, "--actor", "operator 3", "--reason", "sent by mistake")
        assert (await rehearsal.redrive(*give_up, point="before what waited"))[0] == -9
        assert (await rehearsal.redrive(*give_up))[0] == 1  # it is given up already
        assert (await rehearsal.redrive(*WHO))[0] == 0
    assert await stage.effects(account) == [2, 3]
    assert await stage.database.value(f"SELECT count(*) FROM {SERVICE}.skipped") == 1


async def has_parked(rehearsal: Rehearsal, number: int) -> bool:
    """Whether so many events wait."""
    return bool(await rehearsal.stage.database.value(f"SELECT count(*) = $1 FROM {SERVICE}.parked", number))


async def read_to_the_end(rehearsal: Rehearsal) -> bool:
    """Whether the group has applied all that was ever published."""
    query = "SELECT (SELECT sum(next_offset) FROM {0}.published) = (SELECT sum(next_offset) FROM {0}.consumed)"
    return bool(await rehearsal.stage.database.value(query.format(SERVICE)))


async def count_committed(rehearsal: Rehearsal) -> int:
    """How many messages the group has told Kafka to have read."""
    client = AIOKafkaConsumer(
        bootstrap_servers=rehearsal.stage.settings.kafka, group_id=rehearsal.name, enable_auto_commit=False
    )
    try:
        await client.start()
        partitions = [TopicPartition(rehearsal.stage.topic, n) for n in range(PARTITIONS)]
        return sum([await client.committed(partition) or 0 for partition in partitions])
    finally:
        await client.stop()
