"""Bodies as they come in: no more of them than a route takes, and from nobody who sends them by drops."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope

from shared.errors import Refusal

MAX_BODY_BYTES = 256 * 1024
"""The largest body of a route that declares no limit of its own."""
PATIENCE_SECONDS = 20.0
"""How long a body is waited for, beside the time that it takes at the slowest rate."""
SLOWEST_BYTES_PER_SECOND = 16 * 1024


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


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """How large a body a route takes (bytes), and whether the route itself receives it, piece by piece."""

    max_bytes: int = MAX_BODY_BYTES
    is_streamed: bool = False

    async def __call__(self) -> None:
        """Do nothing: the limit is kept before FastAPI asks what a route depends on."""


def accept_body(max_bytes: int, *, is_streamed: bool = False) -> Any:
    """Declare, among the dependencies of a route, that it takes a larger body than others."""
    return Depends(BodyLimit(max_bytes, is_streamed))


def find_body_limit(dependant: Dependant) -> BodyLimit:
    """Find the limit that a route declares, or that of all others."""
    limits = [dependency.call for dependency in dependant.dependencies if isinstance(dependency.call, BodyLimit)]
    return limits[0] if limits else BodyLimit()


class BoundedReceive:
    """Receives the messages of one request. Raises BodyTooLarge (before any is read, if its head says so), BodyTooSlow.

    Only the time in which we wait for the sender counts.
    """

    def __init__(self, scope: Scope, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
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
        self._received_bytes += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        self._check(self._received_bytes)
        return message

    def _check(self, size_bytes: int) -> None:
        if size_bytes > self._max_bytes:
            raise BodyTooLarge(f"this route takes a body of at most {self._max_bytes} bytes")


async def receive_body(request: Request) -> bytes:
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
