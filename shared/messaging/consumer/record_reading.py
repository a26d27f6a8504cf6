"""Records of a topic as events: what is none of ours is kept, and what belongs to another topic is dropped.

A topic has one producer, and each message says who tells it. Who may write to a topic is for the broker's access lists;
a message with another source or type shows that somebody else can, so it has no effect, and is counted.
"""

from collections import Counter
from collections.abc import Iterable

from aiokafka import ConsumerRecord

from shared.base.kafka import MessageEnvelope, read_message_headers
from shared.events.base import get_event_source, get_producer
from shared.persistence import parked_events
from shared.persistence.database import Unit


async def read_events(
    unit: Unit, records: Iterable[ConsumerRecord], past_until: int, counts: Counter[str]
) -> list[MessageEnvelope]:
    """Read records as events; those before `past_until` (an offset) are of the past. Counts `foreign`, `unreadable`."""
    events = []
    for record in records:
        if is_foreign_record(record):
            counts["foreign"] += 1
            continue
        event = await parked_events.read_event_or_park(unit.connection, record, is_past=record.offset < past_until)
        if event is None:
            counts["unreadable"] += 1
        else:
            events.append(event)
    return events


def is_foreign_record(record: ConsumerRecord) -> bool:
    """Whether a record names a source, or a type, that is not of its topic's producer."""
    headers, producer = read_message_headers(record), get_producer(record.topic)
    is_own_source = headers.get("ce_source", get_event_source(producer)) == get_event_source(producer)
    prefix = f"goodstanding.{producer}."
    return not (is_own_source and headers.get("ce_type", prefix).startswith(prefix))
