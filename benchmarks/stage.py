"""What every benchmark stands on: a Postgres of its own that keeps its promises (fsync), and rows of a report."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from deploy.local.bootstrap import bootstrap_server
from deploy.local.postgres import PostgresServer
from shared.database import Units
from shared.migrate import migrate_at
from shared.settings import Settings
from shared.wakeups import Wakeups

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
        return Units(Settings(database_url=self.url("invoicing"), jwks_file=self.folder / "none"), Wakeups())


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """A stage that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres", durable=True)
        server.start()
        try:
            await bootstrap_server(server, DATABASE)
            await migrate_at(server.url("owner", DATABASE))
            yield Stage(server, Path(folder))
        finally:
            server.remove()


def row(name: str, value: float, unit: str, floor: float | None, limit: float | None, better: str) -> Row:
    """One figure of a report."""
    return {"name": name, "value": round(value, 3), "unit": unit, "floor": floor, "limit": limit, "better": better}


def made_id(kind: int, number: int) -> UUID:
    """The id of a made-up thing: of one kind they count up, as UUIDv7 do."""
    return UUID(int=(kind << 96) | (0x7 << 76) | (0x8 << 60) | number)
