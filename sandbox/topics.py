"""Everything that was published, read from the topics as any integrator would."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.base.connections.access import KafkaAccess
from shared.base.connections.kafka import connection_options
from shared.base.kafka import read_headers
from shared.events import PARTITIONS, topic_of
from shared.process.service import NAMES


@dataclass(frozen=True, slots=True)
class Published:
    """One event: its short name, what it is about, its place in the order, when it occurred, its payload."""

    name: str
    producer: str
    subject: str
    sequence: int
    time: datetime
    id: str
    data: dict[str, Any]


async def everything(access: KafkaAccess) -> list[Published]:
    """All events of all topics, each once (a message may stand twice on a topic), by producer and sequence."""
    partitions = [TopicPartition(topic_of(name), n) for name in NAMES for n in range(PARTITIONS)]
    client = AIOKafkaConsumer(**connection_options(access), auto_offset_reset="earliest", max_poll_records=5000)
    try:
        await client.start()
        client.assign(partitions)
        ends = await client.end_offsets(partitions)
        await client.seek_to_beginning()
        found: dict[tuple[str, str, int], Published] = {}
        left = {one for one in partitions if ends[one] > 0}
        while left:
            for partition, records in (await client.getmany(timeout_ms=1000)).items():
                for record in records:
                    one = _published(read_headers(record), record.value)
                    found.setdefault((one.producer, one.subject, one.sequence), one)
                if records and records[-1].offset + 1 >= ends[partition]:
                    left.discard(partition)
    finally:
        await client.stop()
    return [found[key] for key in sorted(found)]


def _published(headers: dict[str, str], data: bytes) -> Published:
    _, producer, name, _ = headers["ce_type"].split(".")
    time = datetime.fromisoformat(headers["ce_time"])
    return Published(
        name, producer, headers["ce_subject"], int(headers["ce_sequence"]), time, headers["ce_id"], orjson.loads(data)
    )
