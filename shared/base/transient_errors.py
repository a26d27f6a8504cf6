"""Errors that pass by themselves, after which the whole unit runs again."""

from collections.abc import Iterator

import asyncpg
from aiokafka.errors import KafkaError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.pure.errors import Refusal, Unavailable

_TRANSIENT_STATES = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300", "25P03")
_CONNECTION = (asyncpg.InterfaceError, asyncpg.InternalClientError, PoolTimeout, ConnectionError, TimeoutError)
"""The connection is lost; asyncpg also calls it an internal error when the server's farewell comes in between."""
BROKEN = (KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""Errors after which a loop that has a connection of its own starts afresh, with a new connection."""


def list_error_causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_closed_handler(error: BaseException) -> bool:
    """Whether it is uvloop's word for a connection that was lost just before something was written to it."""
    return isinstance(error, RuntimeError) and "the handler is closed" in str(error)


def is_transient_error(error: BaseException) -> bool:
    """Whether running the whole unit again may work: deadlock, serialization, lock time-out, connection.

    SQLSTATE classes are those of PostgreSQL's appendix A.
    """
    for cause in list_error_causes(error):
        if isinstance(cause, Refusal):
            return isinstance(cause, Unavailable)
        if isinstance(cause, asyncpg.PostgresError):
            state = cause.sqlstate or ""
            return state in _TRANSIENT_STATES or state.startswith("08")
        if isinstance(cause, _CONNECTION) or _is_closed_handler(cause):
            return True
    return False


def describe_error_type(error: BaseException) -> str:
    """Name the class of an error: the database's own where it is the cause. Never its text, which may hold values."""
    return next(
        (type(cause).__name__ for cause in list_error_causes(error) if isinstance(cause, asyncpg.PostgresError)),
        type(error).__name__,
    )
