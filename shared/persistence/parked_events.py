"""Parked events: a head that could not be applied, with its error, and the followers that wait behind it.

A follower is also an event that is further ahead than the next one of its subject; it follows by itself
as soon as the gap is filled. Everything else flows on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg
import orjson
from aiokafka import ConsumerRecord

from shared.base import clock
from shared.base.kafka import MessageEnvelope, Unreadable, parse_message_envelope, read_message_headers
from shared.base.telemetry import log
from shared.persistence.bulk_rows import Jsonb, RowParameters

UNREADABLE = "unreadable"
"""The type under which a message is kept that is no event of ours; it blocks nothing."""


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that waits; a head carries the error that stopped it."""

    envelope: MessageEnvelope
    error: str | None

    @property
    def is_head(self) -> bool:
        """Whether this event itself failed, rather than waiting for another."""
        return self.error is not None


async def list_waiting_events(
    connection: asyncpg.Connection, topic: str, subjects: Iterable[str]
) -> dict[str, dict[int, ParkedEvent]]:
    """List the events that wait for these subjects, by subject and sequence."""
    rows = await connection.fetch(
        "SELECT subject, sequence, headers, data, error, is_past FROM parked"
        " WHERE topic = $1 AND subject = ANY($2::text[]) AND type <> $3",
        topic,
        list(subjects),
        UNREADABLE,
    )
    by_subject: dict[str, dict[int, ParkedEvent]] = {}
    for row in rows:
        kept = ParkedEvent(
            parse_message_envelope(topic, row["headers"], row["data"], is_past=row["is_past"]), row["error"]
        )
        by_subject.setdefault(row["subject"], {})[row["sequence"]] = kept
    return by_subject


def describe_error(error: BaseException | None) -> str:
    """Render an error as its class and its text: metrics name the class and never the text."""
    return f"{type(error).__name__}: {error}"


class ParkedMessage(NamedTuple):
    """A row of `parked`."""

    topic: str
    subject: str
    sequence: int
    event_id: str
    type: str
    headers: Jsonb
    data: bytes
    error: str | None
    parked_at: datetime
    is_past: bool


_PARKED = RowParameters(ParkedMessage)
_PARK = f"""
INSERT INTO parked ({_PARKED.columns})
VALUES ({_PARKED.values})
ON CONFLICT (topic, subject, sequence) DO UPDATE SET error = coalesce(excluded.error, parked.error)
"""


async def park_event(connection: asyncpg.Connection, event: MessageEnvelope, error: str | None) -> None:
    """Keep an event: as a head with its error, or as a follower."""
    message = ParkedMessage(
        topic=event.topic,
        subject=event.subject,
        sequence=event.sequence,
        event_id=event.id,
        type=event.type,
        headers=orjson.dumps(event.headers).decode(),
        data=event.payload,
        error=error,
        parked_at=clock.read_system_clock(),
        is_past=event.is_past,
    )
    await connection.execute(_PARK, *message)


async def read_event_or_park(
    connection: asyncpg.Connection, record: ConsumerRecord, *, is_past: bool
) -> MessageEnvelope | None:
    """Read a record as an event; one that is none of ours is kept, and None."""
    headers = read_message_headers(record)
    try:
        return parse_message_envelope(record.topic, headers, record.value or b"", is_past=is_past)
    except Unreadable as error:
        log.error("message is no event of ours", topic=record.topic, offset=record.offset)
        place = f"{record.partition}:{record.offset}"
        await park_unreadable_message(connection, record.topic, place, headers, record.value or b"", str(error))
        return None


async def park_unreadable_message(
    connection: asyncpg.Connection, topic: str, place: str, headers: dict[str, str], payload: bytes, error: str
) -> None:
    """Keep a message that is no event of ours, under its place in the topic."""
    # Postgres keeps no NUL character in JSON; U+2400 is the picture of one.
    readable = {name.replace("\0", "\u2400"): value.replace("\0", "\u2400") for name, value in headers.items()}
    message = ParkedMessage(
        topic=topic,
        subject=place,
        sequence=0,
        event_id=place,
        type=UNREADABLE,
        headers=orjson.dumps(readable).decode(),
        data=payload,
        error=error,
        parked_at=clock.read_system_clock(),
        is_past=False,
    )
    await connection.execute(_PARK, *message)


async def delete_parked_event(connection: asyncpg.Connection, event: MessageEnvelope) -> None:
    """An event no longer waits: it was applied, or given up."""
    await connection.execute(
        "DELETE FROM parked WHERE topic = $1 AND subject = $2 AND sequence = $3",
        event.topic,
        event.subject,
        event.sequence,
    )


class SkippedEvent(NamedTuple):
    """A row of `skipped`."""

    event_id: str
    topic: str
    subject: str
    sequence: int
    type: str
    headers: Jsonb
    data: bytes
    actor: str
    reason: str
    skipped_at: datetime


_SKIPPED = RowParameters(SkippedEvent)
_SKIP = f"INSERT INTO skipped ({_SKIPPED.columns}) VALUES ({_SKIPPED.values})"


async def give_event_up(connection: asyncpg.Connection, event: MessageEnvelope, *, actor: str, reason: str) -> None:
    """Record that a person gave this event up, with its whole content, and remove it."""
    skipped = SkippedEvent(
        event_id=event.id,
        topic=event.topic,
        subject=event.subject,
        sequence=event.sequence,
        type=event.type,
        headers=orjson.dumps(event.headers).decode(),
        data=event.payload,
        actor=actor,
        reason=reason,
        skipped_at=clock.read_system_clock(),
    )
    await connection.execute(_SKIP, *skipped)
    await delete_parked_event(connection, event)


async def list_parked_heads(connection: asyncpg.Connection, subject: str | None = None) -> list[asyncpg.Record]:
    """The parked heads, oldest first; of one subject if it is given."""
    return await connection.fetch(  # type: ignore[no-any-return]
        "SELECT topic, subject, sequence, event_id, type, error, parked_at FROM parked"
        " WHERE error IS NOT NULL AND type <> $2 AND ($1::text IS NULL OR subject = $1) ORDER BY parked_at",
        subject,
        UNREADABLE,
    )


async def list_parked_subjects(connection: asyncpg.Connection, subject: str | None = None) -> list[asyncpg.Record]:
    """The topic and subject of whatever waits; of one subject if it is given."""
    return await connection.fetch(  # type: ignore[no-any-return]
        "SELECT topic, subject FROM parked WHERE type <> $2 AND ($1::text IS NULL OR subject = $1)"
        " GROUP BY topic, subject ORDER BY min(parked_at)",
        subject,
        UNREADABLE,
    )


async def is_parking_flooded(connection: asyncpg.Connection, limit: int, window: float) -> bool:
    """Whether too many heads were parked within the window (seconds): something is wrong with us, not them."""
    since: datetime = clock.read_system_clock() - timedelta(seconds=window)
    count: int = await connection.fetchval(
        "SELECT count(*) FROM parked WHERE error IS NOT NULL AND parked_at > $1", since
    )
    return count >= limit


async def stop_consumer_group(connection: asyncpg.Connection, reason: str) -> None:
    """Stop this service's group; it stays stopped, over restarts too, until it is told to go on."""
    await connection.execute(
        "INSERT INTO stopped (id, why, stopped_at) VALUES (1, $1, $2) ON CONFLICT DO NOTHING",
        reason,
        clock.read_system_clock(),
    )


async def stop_flooded_group(connection: asyncpg.Connection, limit: int, window: float) -> bool:
    """Stop the group if too many heads were parked within the window (seconds); whether it is stopped."""
    if await is_parking_flooded(connection, limit, window):
        await stop_consumer_group(connection, f"{limit} events were parked within {window:.0f} s")
    return await find_group_stop_reason(connection) is not None


async def find_group_stop_reason(connection: asyncpg.Connection) -> str | None:
    """Why the group is stopped, or None."""
    return await connection.fetchval("SELECT why FROM stopped")  # type: ignore[no-any-return]


async def resume_consumer_group(connection: asyncpg.Connection) -> None:
    """Let the group go on."""
    await connection.execute("DELETE FROM stopped")
