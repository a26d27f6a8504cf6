"""The pool of connections on which a service's units run."""

from functools import partial

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.base.connections.database import connect_database
from shared.base.settings import Settings


def build_database_pool(settings: Settings) -> AsyncEngine:
    """The pool of a service: its role, its search path, bounded waits."""
    server_settings = {
        "lock_timeout": str(int(settings.lock_timeout * 1000)),
        "idle_in_transaction_session_timeout": str(int(settings.idle_transaction * 1000)),
        "application_name": "goodstanding",
        "random_page_cost": "1.1",  # of a disk that does not turn: else all of a table is read for a chunk's rows
    }
    connect = partial(connect_database, settings, timeout=3, command_timeout=30, server_settings=server_settings)
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=10,
        isolation_level="AUTOCOMMIT",  # the unit begins and ends the transaction, below SQLAlchemy
        hide_parameters=True,  # what broke is logged, and parameters name customers
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )


async def find_living_connection(connection: AsyncConnection) -> asyncpg.Connection:
    """Find the driver's connection; one that died while it rested in the pool is replaced."""
    raw = (await connection.get_raw_connection()).driver_connection
    if raw is None or raw.is_closed():
        await connection.invalidate()
        raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None
    return raw
