"""Turns: a rush on one account does not take the connections that others need.

Units about the same account wait for its row anyway, one after the other. Waiting there each would hold a
connection of the pool; so most of them wait here, before they take one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared.pure.errors import Unavailable

AT_ONCE = 2
"""One that works, and one that follows without a pause."""
WAIT = 10.0
"""Seconds; as long as for a connection of the pool."""


@dataclass(slots=True)
class _Queue:
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    length: int = 0


class UnitQueues:
    """The queues of one process, each of which lives as long as somebody stands in it."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def wait_turn(self, subject: object | None) -> AsyncIterator[None]:
        """Have a turn at what the unit is about (an account's id, say), at once if that is None. Raises Unavailable."""
        if subject is None:
            yield
            return
        queue = self._queues.setdefault(str(subject), _Queue())
        queue.length += 1
        try:
            await _take(queue.turns)
            try:
                yield
            finally:
                queue.turns.release()
        finally:
            queue.length -= 1
            if not queue.length:
                del self._queues[str(subject)]


async def _take(turns: asyncio.Semaphore) -> None:
    try:
        async with asyncio.timeout(WAIT):
            await turns.acquire()
    except TimeoutError as error:
        raise Unavailable("too many act on this at once; try again") from error
