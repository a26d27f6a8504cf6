"""Bodies as they come in: no more of them than a route takes, and from nobody who sends them by drops."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope

from shared.pure.errors import Refusal, Unavailable

MAX_BODY_BYTES = 256 * 1024
"""The largest body of a route that declares no limit of its own."""
PATIENCE_SECONDS = 20.0
"""How long a body is waited for, beside the time that it takes at the slowest rate."""
SLOWEST_BYTES_PER_SECOND = 16 * 1024
MAX_BYTES_AT_ONCE = 256 * 1024 * 1024
"""How much of bodies a process has in memory at once, all requests together."""


class BodyTooLarge(Refusal):
    """The body is larger than this route takes."""

    code = "body_too_large"
    status = 413


class BodyTooSlow(Refusal):
    """The body did not come in time."""

    code = "body_too_slow"
    status = 408


class BodyInterrupted(Refusal):
    """The sender went away before the body was whole."""

    code = "malformed"
    status = 400


class BodyMemoryFull(Unavailable):
    """The bodies of other requests take all the memory that there is for bodies."""

    code = "no_room"


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """How large a body a route takes (bytes), and whether the route itself receives it, piece by piece.

    What goes to the disk piece by piece is not counted as memory.
    """

    max_bytes: int = MAX_BODY_BYTES
    is_streamed: bool = False
    is_on_disk: bool = False

    async def __call__(self) -> None:
        """Do nothing: the limit is kept before FastAPI asks what a route depends on."""


def accept_larger_body(max_bytes: int, *, is_streamed: bool = False, is_on_disk: bool = False) -> Any:
    """Declare, among the dependencies of a route, that it takes a larger body than others."""
    return Depends(BodyLimit(max_bytes, is_streamed or is_on_disk, is_on_disk))


def find_body_limit(dependant: Dependant) -> BodyLimit:
    """Find the limit that a route declares, or that of all others."""
    limits = [dependency.call for dependency in dependant.dependencies if isinstance(dependency.call, BodyLimit)]
    return limits[0] if limits else BodyLimit()


class BodyMemory:
    """The memory that bodies take in a process, in bytes."""

    def __init__(self, max_bytes: int = MAX_BYTES_AT_ONCE) -> None:
        self.max_bytes = max_bytes
        self.taken_bytes = 0

    def reserve_body_memory(self, size_bytes: int) -> None:
        """Take memory for a piece of a body. Raises BodyMemoryFull."""
        if self.taken_bytes + size_bytes > self.max_bytes:
            raise BodyMemoryFull("too many large bodies come in at once; try again")
        self.taken_bytes += size_bytes

    def release_memory(self, size_bytes: int) -> None:
        """Give back what a request took, when it has been answered."""
        self.taken_bytes -= size_bytes


MEMORY = BodyMemory()


class BoundedReceive:
    """Receives the messages of one request. Raises BodyTooLarge (before any is read, if its head says so), BodyTooSlow.

    Only the time in which we wait for the sender counts.
    """

    def __init__(self, scope: Scope, receive: Receive, max_bytes: int, memory: BodyMemory | None = None) -> None:
        self._receive = receive
        self._memory = memory
        self._taken_bytes = 0
        self._max_bytes = max_bytes
        self._declared_bytes = get_declared_bytes(scope)
        self._received_bytes = 0
        self._waited_seconds = 0.0
        self._is_complete = False

    async def __call__(self) -> Message:
        """Receive the next message."""
        if self._is_complete:
            return await self._receive()
        self._check(self._declared_bytes or 0)
        began = time.perf_counter()
        patience = PATIENCE_SECONDS + self._received_bytes / SLOWEST_BYTES_PER_SECOND - self._waited_seconds
        try:
            async with asyncio.timeout(patience):
                message = await self._receive()
        except TimeoutError as error:
            raise BodyTooSlow(
                f"a body comes at {SLOWEST_BYTES_PER_SECOND} bytes a second or faster, after {PATIENCE_SECONDS:g} s"
            ) from error
        self._waited_seconds += time.perf_counter() - began
        piece_bytes = len(message.get("body", b""))
        self._received_bytes += piece_bytes
        self._is_complete = not message.get("more_body", False)
        self._check(self._received_bytes)
        self._take_memory(piece_bytes)
        return message

    def release_taken_memory(self) -> None:
        """Give back the memory that the body took."""
        if self._memory is not None:
            self._memory.release_memory(self._taken_bytes)
        self._taken_bytes = 0

    def _take_memory(self, piece_bytes: int) -> None:
        if self._memory is not None:
            self._memory.reserve_body_memory(piece_bytes)
            self._taken_bytes += piece_bytes

    def _check(self, size_bytes: int) -> None:
        if size_bytes > self._max_bytes:
            raise BodyTooLarge(f"this route takes a body of at most {self._max_bytes} bytes")


async def receive_whole_body(request: Request) -> bytes:
    """Receive the whole body of a request. Raises BodyInterrupted, and what a bounded body raises."""
    try:
        return await request.body()
    except ClientDisconnect as error:
        raise BodyInterrupted("the body ended before it was whole") from error


def get_declared_bytes(scope: Scope) -> int | None:
    """Get the length that the head of a request says of its body; None if it does not, 0 if there is none."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else None
        if name == b"transfer-encoding":
            return None
    return 0
