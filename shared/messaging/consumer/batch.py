"""A batch of messages of one partition, applied in one transaction.

For each (topic, subject) the sequence that was last applied is kept, locked in the transaction of the
effects: not newer is dropped, the next is applied, one further ahead waits among the parked events.
"""

from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from opentelemetry.trace import SpanContext

from shared.base.kafka import MessageEnvelope
from shared.base.transient_errors import is_transient_error
from shared.events import REGISTRY
from shared.messaging.consumer.handlers import EventHandlers
from shared.persistence import parked_events
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.persistence.parked_events import ParkedEvent

_MARKS = """
SELECT subject, sequence, EXISTS (
    SELECT FROM parked p WHERE p.topic = w.topic AND p.subject = w.subject
) AS waits
FROM watermarks w WHERE topic = $1 AND subject = ANY($2::text[])
ORDER BY subject FOR NO KEY UPDATE OF w
"""
_NEW_MARKS = """
INSERT INTO watermarks (topic, subject, sequence)
SELECT $1, subject, 0 FROM unnest($2::text[]) AS subject ORDER BY subject ON CONFLICT DO NOTHING
"""
_MOVE_MARKS = """
UPDATE watermarks SET sequence = new.sequence
FROM unnest($2::text[], $3::bigint[]) AS new (subject, sequence)
WHERE watermarks.topic = $1 AND watermarks.subject = new.subject
"""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HandledEvent:
    """An event that had its effect, and the span in which it had it."""

    event: MessageEnvelope
    span: SpanContext


class EventHandlerFailed(Exception):
    """A handler refused or broke on this event; the cause says how."""

    def __init__(self, event: MessageEnvelope) -> None:
        super().__init__(f"{event.type} {event.id}")
        self.event = event


async def lock_watermarks(unit: Unit, topic: str, subjects: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Lock the watermarks of these subjects, in order (new ones begin at 0); and the subjects with parked events.

    What waits is seen as of the statement's start, which may be before the lock was had. That is enough: only
    the owner of the partition adds to it, and who finds that something waits reads it anew.
    """
    wanted = sorted(set(subjects))
    rows = await unit.connection.fetch(_MARKS, topic, wanted)
    if len(rows) < len(wanted):
        await unit.connection.execute(_NEW_MARKS, topic, wanted)
        rows = await unit.connection.fetch(_MARKS, topic, wanted)
    return {row["subject"]: row["sequence"] for row in rows}, [row["subject"] for row in rows if row["waits"]]


class MessageBatch:
    """One pass over messages of one topic, with the watermarks of their subjects in hand.

    Events whose handler takes many are handed over `together`, before any other is handled and at the end; else
    one by one, so that it is known which of them breaks.
    """

    def __init__(
        self,
        unit: Unit,
        handlers: EventHandlers,
        counts: Counter[str],
        handled: list[HandledEvent] | None = None,
        *,
        together: bool = False,
    ) -> None:
        self._unit = unit
        self._handlers = handlers
        self._counts = counts
        self._handled = [] if handled is None else handled
        self._marks: dict[str, int] = {}
        self._waiting: dict[str, dict[int, ParkedEvent]] = {}
        self._together = together
        self._gathered: list[MessageEnvelope] = []

    async def apply_messages(self, topic: str, events: Sequence[MessageEnvelope]) -> None:
        """Apply events of one topic in their order. Raises EventHandlerFailed, or what is transient."""
        subjects = [event.subject for event in events]
        before, waits = await lock_watermarks(self._unit, topic, subjects)
        self._marks = dict(before)
        if waits:
            self._waiting = await parked_events.list_waiting_events(self._unit.connection, topic, waits)
        heard = {event.subject for event in events if event.type in self._handlers}
        waiting = {
            subject
            for subject, kept in self._waiting.items()
            if any(parked_event.envelope.type in self._handlers for parked_event in kept.values())
        }
        await self._unit.lock_subjects(*(heard | waiting))
        for event in events:
            await self._apply_or_park_event(event)
        await self._hand_over()
        moved = [(subject, mark) for subject, mark in self._marks.items() if mark != before[subject]]
        await self._unit.connection.execute(_MOVE_MARKS, topic, *split_into_columns(moved, 2))

    async def _apply_or_park_event(self, event: MessageEnvelope) -> None:
        last = self._marks[event.subject]
        kept = self._waiting.get(event.subject, {})
        if event.sequence <= last:
            self._counts["dropped"] += 1
            return
        if event.sequence == last + 1 and event.sequence not in kept and not self._waits_for_past(event.subject):
            await self._handle(event)
        else:
            self._counts["parked"] += 1
            await parked_events.park_event(self._unit.connection, event, None)
            self._waiting.setdefault(event.subject, {}).setdefault(event.sequence, ParkedEvent(event, None))
        await self.apply_waiting_events(event.subject)

    async def apply_waiting_events(self, subject: str) -> None:
        """Apply what waits and is next, up to the next gap or head; nothing while the past of the subject waits."""
        kept = self._waiting.get(subject, {})
        if self._waits_for_past(subject):
            return
        while (following := kept.get(self._marks[subject] + 1)) and not following.is_head:
            await self._handle(following.envelope)
            await parked_events.delete_parked_event(self._unit.connection, following.envelope)
            del kept[following.envelope.sequence]

    def _waits_for_past(self, subject: str) -> bool:
        """Whether an event of the subject's past is parked, below the watermark."""
        return min(self._waiting.get(subject, ()), default=self._marks[subject] + 1) <= self._marks[subject]

    async def _handle(self, event: MessageEnvelope) -> None:
        if self._handlers.is_handled_in_groups(event.type):
            if self._gathered and self._gathered[-1].is_past != event.is_past:
                await self._hand_over()
            self._gathered.append(event)
            if not self._together:
                await self._hand_over()
            self._counts["handled"] += 1
        elif event.type in self._handlers:
            await self._hand_over()
            self._handled.append(
                HandledEvent(event, await blame_on_event(self._handlers.handle_event(self._unit, event), event))
            )
            self._counts["handled"] += 1
        else:
            self._counts["passed" if event.type in REGISTRY else "unknown"] += 1
        self._marks[event.subject] = event.sequence

    async def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            spans = await blame_on_event(self._handlers.handle_event_group(self._unit, gathered), gathered[0])
            self._handled += map(HandledEvent, gathered, spans)


async def blame_on_event(handling: Awaitable[T], event: MessageEnvelope) -> T:
    """Await a handler; what breaks, and is not transient, is laid on an event. Raises EventHandlerFailed."""
    try:
        return await handling
    except Exception as error:
        if is_transient_error(error):
            raise
        raise EventHandlerFailed(event) from error
