"""Databases whose schemas are at a revision of before."""

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from deploy.local.bootstrap import bootstrap_server
from deploy.local.postgres import PostgresServer
from shared.migrate import ROOT


async def create_database_at(server: PostgresServer, database: str, service: str, revision: str) -> None:
    """Create a database with the schema of one service, at a revision of its migrations."""

    def migrate(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "services" / service / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()

    await bootstrap_server(server, database)
    url = server.url("owner", database).replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()
