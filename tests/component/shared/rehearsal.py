"""Stage on which the backbone is tried: an event that means nothing, a handler whose effects can be counted."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast
from uuid import UUID, uuid4

import orjson
from aiokafka import ConsumerRecord, TopicPartition

from shared.base.health import Health
from shared.base.kafka import MessageEnvelope, parse_message_envelope
from shared.base.settings import Settings
from shared.base.wakeups import LoopWakeups
from shared.events.base import AccountEvent
from shared.messaging.consumer import EventHandlers, GroupedEvents
from shared.messaging.consumer.batch import MessageBatch
from shared.messaging.consumer.event_consumer import EventConsumer
from shared.persistence.database import Unit, Units
from tests.builders import START, Database, settings_for

SERVICE = "collections"
"""Whose schema the rehearsal uses."""
_numbers = itertools.count(1)


class Rehearsed(AccountEvent, abstract=True):
    """An event without meaning; `n` tells one from another."""

    producer: ClassVar[str] = "rehearsal"
    n: int
    note: str = ""


class Unheard(Rehearsed):
    """An event that nobody handles."""


def declare_event(name: str | None = None) -> type[Rehearsed]:
    """Declare an event with a producer, and so a topic, of its own; `name` is another process' producer."""
    own = name or f"rehearsal{next(_numbers)}"

    class Happened(Rehearsed):
        producer: ClassVar[str] = own

    return Happened


class Broken(Exception):
    """A defect of a handler."""


@dataclass
class Stage:
    """Units on a database, one event with its handler, and the effects that it has."""

    database: Database
    settings: Settings
    units: Units
    wakeups: LoopWakeups
    event: type[Rehearsed]
    handlers: EventHandlers
    faults: dict[tuple[UUID, int], list[Exception]] = field(default_factory=dict)
    """What the handler raises for an account's event, once for each exception of the list."""
    broken: set[tuple[UUID, int]] = field(default_factory=set)
    """The events that the handler always breaks on."""
    echo: type[Rehearsed] | None = None
    """What the handler publishes."""
    handed_over: list[int] = field(default_factory=list)
    """How many events each call of the handler of many had."""

    @property
    def topic(self) -> str:
        """The topic of the event."""
        return self.event.topic()

    async def handle(self, unit: Unit, event: Rehearsed, _: MessageEnvelope) -> None:
        """Write one row for each event, and fail where a test wants it, after the effect."""
        await unit.connection.execute("INSERT INTO effects (subject, n) VALUES ($1, $2)", event.subject(), event.n)
        if self.echo is not None:
            unit.publish(self.echo(account_id=event.account_id, n=event.n))
        what = (event.account_id, event.n)
        if what in self.broken:
            raise Broken(f"cannot do {event.n}")
        if self.faults.get(what):
            raise self.faults[what].pop()

    async def handle_many(self, unit: Unit, heard: GroupedEvents) -> None:
        """Handle events that are taken together, in the same way."""
        self.handed_over.append(len(heard.events))
        for event, received in heard.events:
            with heard.attribute_to_event(unit, received.subject):
                await self.handle(unit, cast(Rehearsed, event), received)

    async def effects(self, subject: UUID) -> list[int]:
        """The effects on a subject, in the order in which they were had."""
        rows = await self.database.rows(
            f"SELECT n FROM {SERVICE}.effects WHERE subject = $1 ORDER BY place", str(subject)
        )
        return [row["n"] for row in rows]

    async def waiting(self, subject: UUID) -> dict[int, str | None]:
        """List what is parked of a subject: the errors by sequence, None for a follower."""
        rows = await self.database.rows(
            f"SELECT sequence, error FROM {SERVICE}.parked WHERE subject = $1", str(subject)
        )
        return {row["sequence"]: row["error"] for row in rows}

    async def mark(self, subject: UUID) -> int:
        """The sequence that was last applied for a subject."""
        return cast(
            int,
            await self.database.value(f"SELECT sequence FROM {SERVICE}.watermarks WHERE subject = $1", str(subject)),
        )

    async def publish(self, subject: UUID, *numbers: int) -> None:
        """Publish events of a subject in one unit."""

        async def act(unit: Unit) -> None:
            await unit.lock_subjects(subject)
            for n in numbers:
                unit.publish(self.event(account_id=subject, n=n))

        await self.units.run(act)

    def message(
        self, subject: UUID, n: int, event: type[Rehearsed] | None = None, topic: str | None = None, **headers: str
    ) -> MessageEnvelope:
        """The n-th event of a subject as it is received."""
        kind = event or self.event
        own = kind(account_id=subject, n=n)
        named = {
            "ce_id": str(uuid4()),
            "ce_type": kind.type(),
            "ce_source": f"/goodstanding/{kind.producer}",
            "ce_subject": str(subject),
            "ce_sequence": str(n),
            "ce_time": START.isoformat(),
        } | headers
        return parse_message_envelope(topic or self.topic, named, own.model_dump_json().encode())

    async def hear(self, *events: MessageEnvelope) -> Counter[str]:
        """Apply a batch in one unit; what was counted."""
        counts: Counter[str] = Counter()
        await self.units.run(
            lambda unit: MessageBatch(unit, self.handlers, counts, together=len(events) > 1).apply_messages(
                self.topic, events
            )
        )
        return counts

    async def outbox(self) -> list[dict[str, Any]]:
        """The headers of what waits to be published, in order."""
        rows = await self.database.rows(f"SELECT headers FROM {SERVICE}.outbox ORDER BY position")
        return [orjson.loads(row["headers"]) for row in rows]


class Client:
    """In the place of Kafka's client: notes where it is told to go on."""

    def __init__(self) -> None:
        self.places: dict[TopicPartition, int] = {}
        self.ends: dict[TopicPartition, int] = {}
        self.asked = 0
        self.paused: set[TopicPartition] = set()

    def pause(self, *partitions: TopicPartition) -> None:
        """Read nothing of these."""
        self.paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        """Read these again."""
        self.paused.difference_update(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on there."""
        self.places[partition] = offset

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The ends of these partitions: 0, unless a test says otherwise."""
        return {partition: self.ends.get(partition, 0) for partition in partitions}

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return no records."""
        self.asked += 1
        await asyncio.sleep(0)
        return {}


class Member:
    """A member of the consumer group that is given its messages by the test, not by Kafka."""

    def __init__(self, stage: Stage) -> None:
        self.health = Health()
        self.consumer: Any = EventConsumer(SERVICE, stage.handlers, stage.units, stage.settings, self.health)
        self.client = Client()
        self.consumer._client = self.client
        self.partition = TopicPartition(stage.topic, 0)
        self._stage = stage

    async def own(self) -> int:
        """Be assigned the partition; where it goes on."""
        await self._stage.units.run(self.consumer._register)
        await self.consumer.on_partitions_assigned({self.partition})
        return self.client.places[self.partition]

    async def read(self, *events: MessageEnvelope, first: int = 0) -> None:
        """Be handed a batch whose first message has this offset."""
        await self.consumer._apply(self.partition, [record(self.partition, n, e) for n, e in enumerate(events, first)])


def record(partition: TopicPartition, offset: int, event: MessageEnvelope) -> ConsumerRecord:
    """An event as Kafka's client gives it."""
    headers = [(name, value.encode()) for name, value in event.headers.items()]
    return raw_record(partition, offset, event.payload, headers)


def raw_record(
    partition: TopicPartition, offset: int, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
) -> ConsumerRecord:
    """Any message as Kafka's client gives it."""
    return ConsumerRecord(
        partition.topic, partition.partition, offset, 0, 0, b"key", value, None, 3, len(value or b""), tuple(headers)
    )


@asynccontextmanager
async def staged(database: Database, jwks_file: Path, *, together: bool = False, **more: Any) -> AsyncIterator[Stage]:
    """A stage on a test's database; its handler takes events one by one, or what a batch has of them `together`."""
    await database.execute(
        f"CREATE TABLE {SERVICE}.effects"
        " (place bigint GENERATED ALWAYS AS IDENTITY, subject text NOT NULL, n int NOT NULL)"
    )
    await database.execute(f"GRANT SELECT, INSERT ON {SERVICE}.effects TO {SERVICE}")
    settings, wakeups = settings_for(SERVICE, database, jwks_file, **more), LoopWakeups()
    units, handlers = Units(settings, wakeups), EventHandlers()
    stage = Stage(database, settings, units, wakeups, declare_event(), handlers)
    if together:
        handlers.declare_group_handler(stage.event)(stage.handle_many)
    else:
        handlers.on(stage.event)(stage.handle)
    try:
        yield stage
    finally:
        await units.close()
