"""Ownership of partitions by the members of a group, and how far each was applied, as the database says.

A row for each (topic, partition), locked first in each transaction, fences off a member that lost the partition and
holds the offset of the next message.
"""

from typing import NamedTuple
from uuid import UUID

from aiokafka import TopicPartition

from shared.events import PARTITIONS
from shared.messaging.consumer.backfill import lock_backfill, start_backfill
from shared.messaging.consumer.handlers import EventHandlers
from shared.persistence.database import Unit

UNKNOWN_END = -1
"""Value of `past_until` while a topic that is new to a running service waits for its end to be asked of Kafka."""

_REGISTER = """
INSERT INTO consumed (topic, partition, next_offset, types, past_until)
SELECT topic, partition, 0, ARRAY[]::text[],
    CASE WHEN EXISTS (SELECT FROM consumed WHERE next_offset > 0) THEN $3::bigint END
FROM unnest($1::text[]) AS topic, generate_series(0, $2) AS partition
ON CONFLICT DO NOTHING
"""
_LOCK = "SELECT owner, next_offset, types, past_until FROM consumed WHERE topic = $1 AND partition = $2 FOR UPDATE"
_OWN = "UPDATE consumed SET owner = $3, types = $4, past_until = $5 WHERE topic = $1 AND partition = $2"
_SAVE = "UPDATE consumed SET next_offset = greatest(next_offset, $3) WHERE topic = $1 AND partition = $2"


class PartitionLost(Exception):
    """Another member owns this partition now; what is in hand is dropped."""


class ReadingPlace(NamedTuple):
    """The place where a partition is read on."""

    next_offset: int
    past_until: int
    """Before this offset its events are of the past: the service has run, and never read the topic."""


async def register_partitions(unit: Unit, topics: list[str]) -> None:
    """Make the rows of the partitions of topics that are read for the first time."""
    await unit.connection.execute(_REGISTER, topics, PARTITIONS - 1, UNKNOWN_END)


async def own_topic_partition(
    unit: Unit, handlers: EventHandlers, partition: TopicPartition, owner: UUID, end_offset: int
) -> tuple[int, int | None]:
    """Own a partition that ends at `end_offset` in Kafka.

    Returns the offset of its next message, and where its past is to be read from, if a backfill is unfinished.
    """
    row = await unit.connection.fetchrow(_LOCK, *partition)
    types = handlers.list_event_types(partition.topic)
    past_until = end_offset if row["past_until"] == UNKNOWN_END else row["past_until"]
    if row["next_offset"] and (added := set(types) - set(row["types"])):
        await start_backfill(unit, partition, added, row["next_offset"])
    await unit.connection.execute(_OWN, *partition, owner, types, past_until)
    past = await lock_backfill(unit, partition)
    return row["next_offset"], past.next_offset if past else None


async def lock_topic_partition(unit: Unit, partition: TopicPartition, owner: UUID) -> ReadingPlace:
    """Lock the row of a partition. Raises PartitionLost."""
    row = await unit.connection.fetchrow(_LOCK, *partition)
    if row["owner"] != owner:
        raise PartitionLost
    return ReadingPlace(row["next_offset"], row["past_until"] or 0)


async def save_offset(unit: Unit, partition: TopicPartition, next_offset: int) -> None:
    """Note the offset of the next message of a partition, whose row is locked."""
    await unit.connection.execute(_SAVE, *partition, next_offset)
