"""Backfill: the past of event types that a service begins to consume on a topic that it has read before.

Events of such a type were passed over and the watermarks moved on. So each partition is read once more from its
beginning up to where the service stood when a member that consumes the type took it over, for these types only, and
before anything newer of the partition is read. Each subject's events are applied in order, each once, under marks of
their own; the watermarks stay. Progress is committed with the effects, so a backfill continues after a crash.

What the past brings sets state: within it `Unit.is_past` is true, and a handler that wants a call to the outside fails.
An event that fails is parked below the watermark; later events of its subject, old and new, wait behind it.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition

from shared.base.kafka import MessageEnvelope, Unreadable, parse_message_envelope, read_message_headers
from shared.messaging.consumer.batch import blame_on_event, lock_watermarks
from shared.messaging.consumer.handlers import EventHandlers
from shared.messaging.consumer.record_reading import is_foreign_record
from shared.persistence import parked_events
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit

_START = """
INSERT INTO backfills (topic, partition, types, next_offset, end_offset, applied, started_at)
VALUES ($1, $2, $3, 0, $4, 0, $5)
ON CONFLICT (topic, partition) DO UPDATE SET
    types = excluded.types
        || CASE WHEN backfills.finished_at IS NULL THEN backfills.types ELSE ARRAY[]::text[] END,
    next_offset = 0, end_offset = excluded.end_offset, applied = 0, started_at = excluded.started_at, finished_at = NULL
"""
_DELETE_MARKS = "DELETE FROM backfill_marks WHERE topic = $1 AND partition = $2"
_LOCK_UNFINISHED = """
SELECT types, next_offset, end_offset FROM backfills WHERE topic = $1 AND partition = $2 AND finished_at IS NULL
FOR UPDATE
"""
_ADVANCE = """
UPDATE backfills SET next_offset = $3, applied = applied + $4,
    finished_at = CASE WHEN $3::bigint >= end_offset THEN $5::timestamptz END
WHERE topic = $1 AND partition = $2
"""
_MARKS = (
    "SELECT subject, sequence FROM backfill_marks WHERE topic = $1 AND partition = $2 AND subject = ANY($3::text[])"
)
_SAVE_MARKS = """
INSERT INTO backfill_marks (topic, partition, subject, sequence)
SELECT $1, $2, subject, sequence FROM unnest($3::text[], $4::bigint[]) AS new (subject, sequence)
ON CONFLICT (topic, partition, subject) DO UPDATE SET sequence = excluded.sequence
"""


@dataclass(frozen=True, slots=True)
class PartitionBackfill:
    """The rest of one partition's past that is to be read: from `next_offset` up to, not including, `end_offset`."""

    partition: TopicPartition
    types: frozenset[str]
    next_offset: int
    end_offset: int


async def start_backfill(unit: Unit, partition: TopicPartition, types: Collection[str], end_offset: int) -> None:
    """Have the past of types read from a partition's beginning to an offset; an unfinished one begins anew."""
    await unit.connection.execute(_START, *partition, sorted(types), end_offset, unit.now)
    await unit.connection.execute(_DELETE_MARKS, *partition)


async def lock_backfill(unit: Unit, partition: TopicPartition) -> PartitionBackfill | None:
    """Lock the unfinished backfill of a partition; None if it has none."""
    row = await unit.connection.fetchrow(_LOCK_UNFINISHED, *partition)
    return PartitionBackfill(partition, frozenset(row["types"]), row["next_offset"], row["end_offset"]) if row else None


async def apply_past_events(
    unit: Unit, handlers: EventHandlers, past: PartitionBackfill, records: Sequence[ConsumerRecord]
) -> Counter[str]:
    """Apply a batch of a partition's past and note how far it was read; the partition's row is locked.

    Counts events that were `backfilled`, `parked` and `dropped`; `finished` is 1 at the end of the past.
    Raises EventHandlerFailed, or what is transient.
    """
    within = [record for record in records if past.next_offset <= record.offset < past.end_offset]
    batch = PastEventBatch(unit, handlers, past.partition, together=len(records) > 1)
    if events := [event for record in within if (event := _wanted_event(record, past.types & set(handlers)))]:
        await batch.apply_past_messages(events)
    next_offset = max(past.next_offset, min(records[-1].offset + 1, past.end_offset))
    await unit.connection.execute(_ADVANCE, *past.partition, next_offset, batch.counts["backfilled"], unit.now)
    if next_offset == past.end_offset:
        await unit.connection.execute(_DELETE_MARKS, *past.partition)
        batch.counts["finished"] = 1
    return batch.counts


def _wanted_event(record: ConsumerRecord, types: Collection[str]) -> MessageEnvelope | None:
    """Read a record as an event if it is of one of these types; what is unreadable was kept when it came first."""
    headers = read_message_headers(record)
    if headers.get("ce_type") not in types or is_foreign_record(record):
        return None
    try:
        return parse_message_envelope(record.topic, headers, record.value or b"", is_past=True)
    except Unreadable:
        return None


class PastEventBatch:
    """One pass over events of a partition's past."""

    def __init__(self, unit: Unit, handlers: EventHandlers, partition: TopicPartition, *, together: bool) -> None:
        self._unit = unit
        self._handlers = handlers
        self._partition = partition
        self._together = together
        self.counts: Counter[str] = Counter()

    async def apply_past_messages(self, events: Sequence[MessageEnvelope]) -> None:
        """Apply events in their order, each once. Raises EventHandlerFailed, or what is transient."""
        subjects = sorted({event.subject for event in events})
        watermarks, waiting_subjects = await lock_watermarks(self._unit, self._partition.topic, subjects)
        applied = dict(await self._unit.connection.fetch(_MARKS, *self._partition, subjects))
        blocked = await self._blocked_subjects(watermarks, waiting_subjects)
        await self._unit.lock_subjects(*subjects)
        ready: list[MessageEnvelope] = []
        for event in self._of_the_past(events, watermarks, applied):
            if event.subject in blocked:
                await parked_events.park_event(self._unit.connection, event, None)
                self.counts["parked"] += 1
            else:
                ready.append(event)
        await self._handle(ready)
        await self._unit.connection.execute(
            _SAVE_MARKS, *self._partition, *split_into_columns(sorted(applied.items()), 2)
        )

    def _of_the_past(
        self, events: Sequence[MessageEnvelope], watermarks: dict[str, int], applied: dict[str, int]
    ) -> Iterator[MessageEnvelope]:
        """Yield what was passed over and not applied since; moves the marks in `applied` along."""
        for event in events:
            # What is beyond the watermark was not passed over: it waits among the parked events.
            if event.sequence <= applied.get(event.subject, 0) or event.sequence > watermarks[event.subject]:
                self.counts["dropped"] += 1
                continue
            applied[event.subject] = event.sequence
            yield event

    async def _blocked_subjects(self, watermarks: dict[str, int], subjects: Collection[str]) -> set[str]:
        """Find the subjects with a parked event of the past, behind which later ones wait."""
        waiting = (
            await parked_events.list_waiting_events(self._unit.connection, self._partition.topic, subjects)
            if subjects
            else {}
        )
        return {subject for subject, by_sequence in waiting.items() if min(by_sequence) <= watermarks[subject]}

    async def _handle(self, events: Sequence[MessageEnvelope]) -> None:
        many: list[MessageEnvelope] = []
        for event in events:
            if self._together and self._handlers.is_handled_in_groups(event.type):
                many.append(event)
                continue
            await self._handle_many(many)
            many = []
            await blame_on_event(self._handlers.handle_event(self._unit, event), event)
        await self._handle_many(many)
        self.counts["backfilled"] += len(events)

    async def _handle_many(self, events: Sequence[MessageEnvelope]) -> None:
        if events:
            await blame_on_event(self._handlers.handle_event_group(self._unit, events), events[0])
