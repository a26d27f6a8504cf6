"""The relay: publishes the outbox of one service in order, one process at a time.

It holds a session advisory lock and reads and deletes on the very connection that holds it. It keeps no
"last id", because ids are handed out before commits: what is in the outbox is pending, whatever its id.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer

from shared.base import kafka
from shared.base.connections.database import connect_database
from shared.base.connections.kafka import start_client
from shared.base.connections.tls import describe_tls_refusal
from shared.base.health import Health
from shared.base.metrics import backbone
from shared.base.retries import restart_on_error
from shared.base.settings import Settings
from shared.base.telemetry import log
from shared.base.wakeups import LoopWakeups
from shared.events import get_topic

BATCH = 500
SEND_TIMEOUT = 10.0
"""How long a batch may wait for its acknowledgements (seconds): an idempotent producer would wait for ever."""
TAKE_OVER_EVERY = 1.0
"""How often a second relay tries to take over (seconds)."""
LOOK_EVERY = 3.0
"""How often the broker is looked at while there is nothing to send (seconds)."""
LOOK_TIMEOUT = 5.0
"""How long such a look may take (seconds)."""

_PENDING = "SELECT position, subject, headers, data FROM outbox ORDER BY position LIMIT $1"
_PUBLISHED = """
WITH gone AS (DELETE FROM outbox WHERE position = ANY($1::bigint[]))
INSERT INTO published (topic, partition, next_offset)
SELECT $2, partition, next_offset FROM unnest($3::int[], $4::bigint[]) AS sent (partition, next_offset)
ON CONFLICT (topic, partition) DO UPDATE
SET next_offset = greatest(published.next_offset, excluded.next_offset)
"""


class BrokerAway(ConnectionError):
    """The broker does not answer."""


class OutboxRelay:
    """Moves the outbox to the service's topic until it is cancelled."""

    def __init__(self, service: str, settings: Settings, wakeups: LoopWakeups, health: Health) -> None:
        self._service = service
        self._topic = get_topic(service)
        self._settings = settings
        self._wakeups = wakeups
        self._health = health

    async def run(self) -> None:
        """Lead as soon as nobody else does; start afresh, with a new producer, after any error."""
        await restart_on_error(self._lead, self._broke)

    def _broke(self, error: BaseException) -> None:
        backbone.RELAY_RESTARTS.inc()
        backbone.LEADING.set(0)
        state = describe_tls_refusal(error) or f"starting afresh after {type(error).__name__}"
        self._health.set_health("relay", False, state)
        log.warning("relay starts afresh", error=repr(error))

    async def _lead(self) -> None:
        connection = await connect_database(self._settings, timeout=3, command_timeout=30)
        try:
            await self._become_leader(connection)
            producer = kafka.create_kafka_producer(self._settings)
            try:
                await start_client(kafka.start_client(producer), self._settings)
                self._health.set_health("relay", True, "leading")
                await self._publish_for_ever(connection, producer)
            finally:
                await kafka.stop_client(producer)
        finally:
            connection.terminate()

    async def _become_leader(self, connection: asyncpg.Connection) -> None:
        taken = "SELECT pg_try_advisory_lock(hashtext('relay'), hashtext($1))"
        while not await connection.fetchval(taken, self._service):
            self._health.set_health("relay", True, "standing by")
            await asyncio.sleep(TAKE_OVER_EVERY)
        backbone.TAKEOVERS.inc()
        backbone.LEADING.set(1)

    async def _publish_for_ever(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> None:
        heard_at = time.monotonic()
        while True:
            rows = await connection.fetch(_PENDING, BATCH)
            if rows:
                await self._publish(connection, producer, rows)
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > LOOK_EVERY:
                await _look(producer)
                heard_at = time.monotonic()
            else:
                await self._wakeups.wait_for_wakeup("relay", self._settings.relay_poll)

    async def _publish(
        self, connection: asyncpg.Connection, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
    ) -> None:
        futures = [await producer.send(self._topic, **_message(row)) for row in rows]
        async with asyncio.timeout(SEND_TIMEOUT):
            results = await asyncio.gather(*futures, return_exceptions=True)
        failure = next((result for result in results if isinstance(result, BaseException)), None)
        acknowledged: list[Any] = list(results[: results.index(failure)] if failure else results)
        ends: dict[int, int] = {}
        for sent in acknowledged:
            ends[sent.partition] = max(ends.get(sent.partition, 0), sent.offset + 1)
        positions = [row["position"] for row in rows[: len(acknowledged)]]
        await connection.execute(_PUBLISHED, positions, self._topic, list(ends), list(ends.values()))
        backbone.PUBLISHED.labels(self._topic).inc(len(positions))
        if failure:
            raise failure


async def _look(producer: AIOKafkaProducer) -> None:
    """See whether the broker is there though there is nothing to send. Raises BrokerAway, TimeoutError."""
    async with asyncio.timeout(LOOK_TIMEOUT):
        if not await producer.client.force_metadata_update():
            raise BrokerAway("no broker answers")


def _message(row: asyncpg.Record) -> dict[str, object]:
    headers = [(name, value.encode()) for name, value in orjson.loads(row["headers"]).items()]
    return {"key": row["subject"].encode(), "value": row["data"].encode(), "headers": headers}
