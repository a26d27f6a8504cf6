"""`python -m shared.migrate [SERVICE ...]`: bring the schemas up to date, as the owner of the database.

Without a name: the sandbox's clock (where its schema exists) and all services.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.base.connections.access import DatabaseAccess
from shared.base.connections.database import connect_database
from shared.process.service import NAMES

ROOT = Path(__file__).parents[1]

CLOCK = """
CREATE TABLE IF NOT EXISTS clock.clock (
    id int PRIMARY KEY CHECK (id = 1),
    now timestamptz NOT NULL,
    sweeps_held boolean NOT NULL
) WITH (fillfactor = 10);
GRANT SELECT ON clock.clock TO PUBLIC;
GRANT INSERT, UPDATE ON clock.clock TO clock;
"""


def migrate_services(connection: Connection, names: tuple[str, ...] = NAMES) -> None:
    """Run the migrations of these services on one connection; waits for locks 5 s at most."""
    connection.execute(text("SET lock_timeout = '5s'"))
    for name in names:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "services" / name / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def install_sandbox_clock(connection: Connection) -> None:
    """The table of the sandbox's clock, where there is a schema for it."""
    if connection.scalar(text("SELECT to_regnamespace('clock') IS NOT NULL")):
        for statement in CLOCK.split(";\n"):
            if statement.strip():
                connection.execute(text(statement))
        connection.commit()


async def migrate_database(url: str, names: tuple[str, ...] = NAMES) -> None:
    """Migrate the database at `url`, which logs in as the owner; TLS and the password are those of the settings."""
    connect = partial(connect_database, DatabaseAccess(database_url=url))
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(install_sandbox_clock)
            await connection.run_sync(lambda sync_connection: migrate_services(sync_connection, names))
    finally:
        await engine.dispose()


def main(
    database_url: Annotated[str, typer.Option(envvar="GOODSTANDING_DATABASE_URL")],
    services: Annotated[list[str] | None, typer.Argument()] = None,
) -> None:
    """Bring the schemas up to date."""
    names = tuple(services or NAMES)
    if unknown := set(names) - set(NAMES):
        raise typer.BadParameter(f"no service: {', '.join(sorted(unknown))}")
    asyncio.run(migrate_database(database_url, names))


if __name__ == "__main__":
    typer.run(main)
