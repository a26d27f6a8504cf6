"""Whether a consumer is hung, judged by a thread outside its event loop.

It is hung when there is something to read (Kafka's end is ahead of its position, or nothing is assigned
to it while its group has unread messages), nothing has advanced for a while, and it is neither stopped
by the flood rule nor waiting for Postgres. aiokafka can stay alive without ever rejoining its group
(aio-libs/aiokafka#1154), so the process ends itself then, and whoever supervises it starts it again.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.base.connections.database import connect_database
from shared.base.connections.kafka import build_kafka_options
from shared.base.kafka import start_client, stop_client
from shared.base.settings import Settings
from shared.base.telemetry import log
from shared.base.transient_errors import BROKEN
from shared.events import PARTITIONS

EXEMPT = frozenset({"stopped", "waiting for Postgres"})


@dataclass
class ConsumerProgress:
    """State of the consumer's loop for the watching thread; plain values, read without a lock."""

    state: str = "starting"
    advanced_at: float = field(default_factory=time.monotonic)
    positions: dict[TopicPartition, int] = field(default_factory=dict)

    def record_consumer_advance(self) -> None:
        """Something was applied or assigned, or the database has refused it: the loop goes round."""
        self.advanced_at = time.monotonic()

    def record_partition_position(self, partition: TopicPartition, position: int) -> None:
        """A batch of a partition was applied; `position` is the offset that is read next."""
        self.positions[partition] = position
        self.record_consumer_advance()

    def forget_partitions(self, partitions: Iterable[TopicPartition]) -> None:
        """Forget the positions of partitions that are another member's now."""
        for partition in partitions:
            self.positions.pop(partition, None)


def is_consumer_hung(
    progress: ConsumerProgress, ends: dict[TopicPartition, int], read: dict[TopicPartition, int], after: float
) -> bool:
    """The verdict: `ends` are Kafka's, `read` what the group has applied, `after` in seconds."""
    if progress.state in EXEMPT or time.monotonic() - progress.advanced_at < after:
        return False
    positions = progress.positions or read
    return any(ends[partition] > positions.get(partition, 0) for partition in ends if partition in positions)


class ConsumerWatch(threading.Thread):
    """Looks every few seconds, on connections of its own.

    Half the time after which a consumer is hung it calls `stuck`; then it ends the process.
    """

    def __init__(
        self,
        progress: ConsumerProgress,
        topics: list[str],
        settings: Settings,
        stuck: Callable[[], None],
        end: Callable[[], None] = lambda: os._exit(70),
    ) -> None:
        super().__init__(name="consumer-watch", daemon=True)
        self._progress = progress
        self._partitions = [TopicPartition(topic, n) for topic in topics for n in range(PARTITIONS)]
        self._settings = settings
        self._stuck = stuck
        self._end = end
        self._done = threading.Event()
        self._context = copy_context()  # its lines of the log name the process, as all others do

    def run(self) -> None:
        """Look until `finish` is called; only what two looks say is believed, since a message may have just come."""
        self._context.run(self._look)

    def _look(self) -> None:
        hung_after, suspected = self._settings.hung_after, 0.0
        while not self._done.wait(min(1.0, hung_after / 4) if suspected else hung_after / 4):
            if time.monotonic() - self._progress.advanced_at < hung_after / 2:
                continue
            try:
                ends, read = asyncio.run(asyncio.wait_for(self._facts(), 10))
            except BROKEN:
                continue  # without the broker or the database nothing can be judged
            seen = self._progress.advanced_at
            if not is_consumer_hung(self._progress, ends, read, hung_after / 2):
                suspected = 0.0
            elif suspected != seen:
                suspected = seen
            elif time.monotonic() - seen < hung_after:
                self._stuck()
            else:
                log.error("the consumer is hung; this process ends", state=self._progress.state)
                self._end()
                return

    def finish(self) -> None:
        """The consumer ends in good order."""
        self._done.set()

    async def _facts(self) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        client = AIOKafkaConsumer(**build_kafka_options(self._settings))
        try:
            await start_client(client)
            ends = await client.end_offsets(self._partitions)
        finally:
            await stop_client(client)
        connection = await connect_database(self._settings, timeout=3)
        try:
            rows = await connection.fetch("SELECT topic, partition, next_offset FROM consumed")
        finally:
            connection.terminate()
        return ends, {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
