"""Base of every benchmark: a Postgres of its own that keeps its promises (fsync), and rows of a report."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from deploy.local import children
from deploy.local.bootstrap import SERVICES, bootstrap_server
from deploy.local.children import ChildProgram
from deploy.local.jars import CHECKOUT
from deploy.local.kafka import KafkaServer
from deploy.local.ports import find_free_port
from deploy.local.postgres import PostgresServer
from deploy.local.tokens import ISSUER
from shared.base.settings import Settings
from shared.base.wakeups import LoopWakeups
from shared.events.base import get_topic
from shared.migrate import migrate_database
from shared.persistence.database import Units

DATABASE = "benchmark"
Row = dict[str, Any]
"""name, value, unit, floor (what must be reached), limit (what could be at best), better (higher or lower)."""


@dataclass(frozen=True)
class Stage:
    """A migrated database, and a folder."""

    server: PostgresServer
    folder: Path

    def url(self, role: str | None = None) -> str:
        """Where a role logs in; the superuser if none is named."""
        return self.server.url(role, DATABASE) if role else self.server.url(database=DATABASE)

    def units(self) -> Units:
        """Units of invoicing."""
        return Units(
            Settings(database_url=self.url("invoicing"), jwks_file=self.folder / "none", issuer="none"), LoopWakeups()
        )

    def process(self, service: str, role: str, kafka: str = "127.0.0.1:1", port: int | None = None) -> ChildProgram:
        """A process of a service in one of its roles."""
        environment = {
            "GOODSTANDING_DATABASE_URL": self.url(service),
            "GOODSTANDING_KAFKA": kafka,
            "GOODSTANDING_PORT": str(port or find_free_port()),
            "GOODSTANDING_JWKS_FILE": str(self.folder / "jwks.json"),
            "GOODSTANDING_ISSUER": ISSUER,
            "GOODSTANDING_LOG_LEVEL": "warning",
            "PATH": os.environ["PATH"],
        }
        return ChildProgram(
            f"{service}-{role}", (sys.executable, "-m", "shared.run", service, role), environment, CHECKOUT
        )


async def insert_legal_entity(server: PostgresServer) -> None:
    """Let the legal entity of the benchmarks exist, of which nothing is said."""
    connection = await asyncpg.connect(server.url(database=DATABASE))
    await connection.execute(
        "INSERT INTO invoicing.legal_entities (code, name, address, tax_id, register_number, bank_name, iban, bic,"
        " sends_documents, tax_calculator, version, changed_by, changed_at)"
        " VALUES ('GS-DE', '', '{}', '', '', '', '', '', false, 'rates', 0, 'benchmark', 'epoch')"
    )
    await connection.close()


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """A stage that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres", durable=True)
        server.start()
        try:
            await bootstrap_server(server, DATABASE)
            await migrate_database(server.url("owner", DATABASE))
            await insert_legal_entity(server)
            yield Stage(server, Path(folder))
        finally:
            server.remove()


_FILLED = """
SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY($1) AND pg_relation_size(oid) > 0
"""


async def analyze(connection: asyncpg.Connection) -> None:
    """Let Postgres know what has been filled. Empty tables stay as they are in a new database: once one is known to
    be empty, plans that read all of it are kept until autovacuum has seen that it is not.
    """
    filled = await connection.fetchval(_FILLED, list(SERVICES))
    await connection.execute(f"ANALYZE {filled}")


@contextmanager
def broker() -> Iterator[str]:
    """The address of a Kafka of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        kafka = KafkaServer(Path(folder))
        kafka.start()
        try:
            asyncio.run(kafka.create_topics([get_topic(service) for service in SERVICES]))
            yield kafka.bootstrap
        finally:
            kafka.stop()


@contextmanager
def running(stage: Stage, *programs: ChildProgram) -> Iterator[list[int]]:
    """These processes, until the end of the block; their process ids."""
    with ExitStack() as block:
        children_ = [
            children.spawn_program(program, stage.folder / f"{program.name}-{n}.log")
            for n, program in enumerate(programs)
        ]
        for child in children_:
            block.callback(children.end_child, child)
        yield [child.pid for child in children_]


async def bare(stage: Stage, written: Iterable[str]) -> float:
    """Seconds for these rows alone: by INSERT … SELECT into tables with the same columns and indexes and nothing else,
    with as many connections as there are cores.

    `written` names tables, where not all rows count with a WHERE. What wrote them could not be faster.
    """
    sources = iter(written)

    async def insert() -> None:
        connection = await asyncpg.connect(stage.url())
        for source in sources:
            table = source.split()[0]
            copy = f"public.bare_{table.replace('.', '_')}"
            await connection.execute(f"CREATE TABLE {copy} (LIKE {table} INCLUDING INDEXES)")
            await connection.execute(f"INSERT INTO {copy} SELECT * FROM {source}")
        await connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(insert() for _ in range(os.cpu_count() or 1)))
    return time.perf_counter() - started


def resident(pid: int) -> float:
    """Megabytes of memory that a process has resident."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def row(name: str, value: float, unit: str, floor: float | None, limit: float | None, better: str) -> Row:
    """One figure of a report."""
    return {"name": name, "value": round(value, 3), "unit": unit, "floor": floor, "limit": limit, "better": better}


def made_id(kind: int, number: int) -> UUID:
    """The id of a made-up thing: of one kind they count up, as UUIDv7 do."""
    return UUID(int=(kind << 96) | (0x7 << 76) | (0x8 << 60) | number)
