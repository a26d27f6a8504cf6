"""Connections of the sandbox itself, made as those of the product are."""

from typing import Any

import asyncpg

from shared.base.connections.access import DatabaseAccess
from shared.base.connections.database import connect_database


def open_pool(access: DatabaseAccess, **options: Any) -> asyncpg.Pool:
    """Open a pool of connections to Postgres, each with TLS and the login of the settings; to be awaited or entered."""

    async def connect(*_: object, **connecting: Any) -> asyncpg.Connection:
        return await connect_database(access, **connecting)

    async def keep_as_it_is(_: asyncpg.Connection) -> None:
        """Leave a returned connection alone: nobody here changes its session, and to reset it is a statement more."""

    return asyncpg.create_pool(connect=connect, reset=keep_as_it_is, **options)
