"""Transactions that leave nothing behind on their connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg


@asynccontextmanager
async def open_transaction(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Commit what is done within, or roll it back when it breaks.

    A connection on which neither came to its end is closed: one whose `BEGIN` was cancelled may be in a transaction
    that nobody ends, and what others did on it would be answered, and lost.
    """
    transaction, is_over = connection.transaction(), False
    try:
        await transaction.start()
        try:
            yield
        except BaseException:
            await transaction.rollback()
            is_over = True
            raise
        await transaction.commit()
        is_over = True
    finally:
        if not is_over:
            connection.terminate()
