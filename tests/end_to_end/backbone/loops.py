"""Running a relay and consumers in a test, and waiting for what they bring about."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.base.health import Health
from shared.events import PARTITIONS
from shared.messaging.consumer.event_consumer import EventConsumer
from shared.messaging.relay import OutboxRelay
from tests.component.shared.rehearsal import Stage

PATIENCE = 60.0
"""Seconds after which a condition that has not come true is a failure."""


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    """Wait until it is true. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110  # what it waits for happens in other processes
            await asyncio.sleep(0.02)


@asynccontextmanager
async def looping(work: OutboxRelay | EventConsumer) -> AsyncIterator[asyncio.Task[None]]:
    """Run it until the block ends; what it raises fails the test."""
    task = asyncio.create_task(work.run())
    try:
        yield task
    finally:
        died = task.done() and not task.cancelled()
        task.cancel()
        await asyncio.wait([task])
        if died:
            task.result()


def relay(stage: Stage, health: Health | None = None) -> OutboxRelay:
    """A relay of the event's producer, on the stage's outbox."""
    return OutboxRelay(stage.event.producer, stage.settings, stage.wakeups, health or Health())


def consumer(stage: Stage, health: Health | None = None) -> EventConsumer:
    """A member of a group of the stage's own."""
    return EventConsumer(f"group-{stage.topic}", stage.handlers, stage.units, stage.settings, health or Health())


async def is_outbox_empty(stage: Stage) -> bool:
    """Whether nothing waits to be published."""
    return not await stage.outbox()


async def list_published(stage: Stage) -> list[ConsumerRecord]:
    """Everything on the stage's topic, in the order of each partition."""
    return await records(stage.settings.kafka, stage.topic)


async def records(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """Everything on a topic, in the order of each partition; what stands there twice is there twice."""
    client = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    try:
        await client.start()
        partitions = [TopicPartition(topic, n) for n in range(PARTITIONS)]
        client.assign(partitions)
        await client.seek_to_beginning(*partitions)
        ends = await client.end_offsets(partitions)
        all_records: list[ConsumerRecord] = []
        while len(all_records) < sum(ends.values()):
            for records in (await client.getmany(timeout_ms=1000)).values():
                all_records += records
        return sorted(all_records, key=lambda record: (record.partition, record.offset))
    finally:
        await client.stop()


def sequences(records: list[ConsumerRecord], subject: object) -> list[int]:
    """The sequences of one subject, as they stand on the topic."""
    return [int(dict(record.headers)["ce_sequence"]) for record in records if record.key == str(subject).encode()]
