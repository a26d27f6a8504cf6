"""Refusals (answers that a caller can understand) and the tree of what can go wrong beneath them.

    Refusal          the request or message is understood and refused; has a `code` and an HTTP status
      NotFound       404
      Unavailable    503, with Retry-After
    Later            a call to the outside did not work now; the same attempt may work later

Anything else is a defect: a 500 and someone's alarm.
"""

from collections.abc import Iterator
from typing import ClassVar

import asyncpg
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Refusal(Exception):
    """A refusal with a stable code. Subclasses stand beside the function that raises them."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409

    def __init__(self, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.more = more
        """Members that the problem document carries beside the standard ones."""


class NotFound(Refusal):
    """There is no such thing, or not for this caller."""

    code = "not_found"
    status = 404


class Unavailable(Refusal):
    """Something this request needs is away for the moment; the answer carries Retry-After."""

    code = "unavailable"
    status = 503
    retry_after = 1
    """Seconds."""


class Later(Exception):
    """A call to the outside failed in a way that may pass: the intent becomes a due row again."""


_TRANSIENT_STATES = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300", "25P03")


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def is_transient(error: BaseException) -> bool:
    """Whether running the whole unit again may work: deadlock, serialization, lock time-out, connection.

    SQLSTATE classes are those of PostgreSQL's appendix A.
    """
    for cause in chain(error):
        if isinstance(cause, Refusal):
            return isinstance(cause, Unavailable)
        if isinstance(cause, asyncpg.PostgresError):
            state = cause.sqlstate or ""
            return state in _TRANSIENT_STATES or state.startswith("08")
        if isinstance(cause, asyncpg.InterfaceError | PoolTimeout | ConnectionError | TimeoutError):
            return True
    return False
