"""A database and topics as a former release left them, recorded from its processes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer

from deploy.local.postgres import PostgresServer
from tests.upgrades import create_database_at

RECORDED = Path(__file__).parent / "recorded"


@dataclass(frozen=True)
class Recording:
    """One service's rows at a revision of its schema, and the topics that it had read."""

    service: str
    revision: str
    story: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]
    topics: dict[str, list[dict[str, Any]]]

    async def restore(self, server: PostgresServer, database: str) -> None:
        """Make a database with the rows, its schema at the recorded revision."""
        await create_database_at(server, database, self.service, self.revision)
        connection = await asyncpg.connect(server.url(database=database))
        try:
            for table, rows in self.tables.items():
                name = f"{self.service}.{table}"
                query = f"INSERT INTO {name} SELECT * FROM jsonb_populate_recordset(NULL::{name}, $1::jsonb)"
                await connection.execute(query, orjson.dumps(rows).decode())
        finally:
            await connection.close()

    async def publish(self, bootstrap: str) -> None:
        """Put the messages on the topics, each on its partition in its order; the topics are there and empty."""
        async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
            for topic, message in self._messages():
                metadata = await producer.send_and_wait(
                    topic,
                    orjson.dumps(message["data"]),
                    key=message["key"].encode(),
                    partition=message["partition"],
                    headers=[(name, value.encode()) for name, value in message["headers"].items()],
                )
                assert metadata.offset == message["offset"]

    def _messages(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((topic, message) for topic, messages in self.topics.items() for message in messages)


def read_recording(service: str, revision: str) -> Recording:
    """Read what was recorded of a service at a revision of its schema."""
    return Recording(service, **orjson.loads((RECORDED / f"{service}_{revision}.json").read_bytes()))
