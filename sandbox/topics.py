"""Everything that was published, read from the topics as any integrator would."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.base.connections.access import KafkaAccess
from shared.base.connections.kafka import build_kafka_options
from shared.base.kafka import read_message_headers
from shared.events import PARTITIONS, get_topic
from shared.process.service import NAMES


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """One event: its short name, what it is about, its place in the order, when it occurred, its payload."""

    name: str
    producer: str
    subject: str
    sequence: int
    time: datetime
    id: str
    payload: dict[str, Any]


async def read_all_events(access: KafkaAccess) -> list[PublishedEvent]:
    """All events of all topics, each once (a message may stand twice on a topic), by producer and sequence."""
    partitions = [TopicPartition(get_topic(name), n) for name in NAMES for n in range(PARTITIONS)]
    client = AIOKafkaConsumer(**build_kafka_options(access), auto_offset_reset="earliest", max_poll_records=5000)
    try:
        await client.start()
        client.assign(partitions)
        ends = await client.end_offsets(partitions)
        await client.seek_to_beginning()
        events: dict[tuple[str, str, int], PublishedEvent] = {}
        unread = {partition for partition in partitions if ends[partition] > 0}
        while unread:
            for partition, records in (await client.getmany(timeout_ms=1000)).items():
                for record in records:
                    event = _parse_message(read_message_headers(record), record.value)
                    events.setdefault((event.producer, event.subject, event.sequence), event)
                if records and records[-1].offset + 1 >= ends[partition]:
                    unread.discard(partition)
    finally:
        await client.stop()
    return [events[key] for key in sorted(events)]


def _parse_message(headers: dict[str, str], payload: bytes) -> PublishedEvent:
    _, producer, name, _ = headers["ce_type"].split(".")
    time = datetime.fromisoformat(headers["ce_time"])
    return PublishedEvent(
        name,
        producer,
        headers["ce_subject"],
        int(headers["ce_sequence"]),
        time,
        headers["ce_id"],
        orjson.loads(payload),
    )
