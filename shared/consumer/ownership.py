"""Ownership of partitions by the members of a group, and how far each was applied, as the database says.

A row for each (topic, partition), locked first in each transaction, fences off a member that lost the partition and
holds the offset of the next message.
"""

from uuid import UUID

from aiokafka import TopicPartition

from shared.consumer.backfill import start_backfill
from shared.consumer.handlers import Handlers
from shared.database import Unit
from shared.events import PARTITIONS

_REGISTER = """
INSERT INTO consumed (topic, partition, next_offset, types)
SELECT topic, partition, 0, ARRAY[]::text[] FROM unnest($1::text[]) AS topic, generate_series(0, $2) AS partition
ON CONFLICT DO NOTHING
"""
_OWN = "UPDATE consumed SET owner = $3 WHERE topic = $1 AND partition = $2 RETURNING next_offset"
_FENCE = "SELECT owner, next_offset FROM consumed WHERE topic = $1 AND partition = $2 FOR UPDATE"
_SAVE = "UPDATE consumed SET next_offset = greatest(next_offset, $3) WHERE topic = $1 AND partition = $2"


class LostPartition(Exception):
    """Another member owns this partition now; what is in hand is dropped."""


async def register_partitions(unit: Unit, topics: list[str]) -> None:
    """Make the rows of the partitions of topics that are read for the first time."""
    await unit.connection.execute(_REGISTER, topics, PARTITIONS - 1)


async def own_partition(
    unit: Unit, handlers: Handlers, partition: TopicPartition, owner: UUID
) -> tuple[int, int | None]:
    """Own a partition; return the offset of its next message, and where its past is to be read from, if it is."""
    past = await start_backfill(unit, handlers, partition)
    offset = await unit.connection.fetchval(_OWN, *partition, owner)
    return int(offset), past.next_offset if past else None


async def lock_partition(unit: Unit, partition: TopicPartition, owner: UUID) -> int:
    """Lock the row of a partition; return the offset of its next message. Raises LostPartition."""
    row = await unit.connection.fetchrow(_FENCE, *partition)
    if row["owner"] != owner:
        raise LostPartition
    return int(row["next_offset"])


async def save_offset(unit: Unit, partition: TopicPartition, next_offset: int) -> None:
    """Note the offset of the next message of a partition, whose row is locked."""
    await unit.connection.execute(_SAVE, *partition, next_offset)
