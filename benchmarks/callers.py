"""Callers of a process over HTTP: a few connections that are kept open, each asking one after the other."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from deploy.local.ports import HOST

CONNECTIONS = 16
Request = Callable[[int], bytes]
"""What is sent, by its number."""


class Caller:
    """One connection that is kept open; plain sockets, so that little but the service is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> int:
        """Send a request and read the whole answer; its status."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await self._reader.readexactly(length)
        return int(head.split(b" ", 2)[1])


@asynccontextmanager
async def open_callers(port: int) -> AsyncIterator[list[Caller]]:
    """Open the connections to a port."""
    pairs = [await asyncio.open_connection(HOST, port) for _ in range(CONNECTIONS)]
    try:
        yield [Caller(*pair) for pair in pairs]
    finally:
        for _, writer in pairs:
            writer.close()


async def ask_all(callers: list[Caller], request: Request, first: int, count: int, status: int) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of their seconds, each caller asking one after the other."""
    numbers, took = iter(range(first, first + count)), list[float]()

    async def call(caller: Caller) -> None:
        for number in numbers:
            started = time.perf_counter()
            answered = await caller.ask(request(number))
            took.append(time.perf_counter() - started)
            assert answered == status, f"request {number} was answered {answered}"

    started = time.perf_counter()
    await asyncio.gather(*map(call, callers))
    return count / (time.perf_counter() - started), statistics.quantiles(took, n=100)[98]


def ask_whether_alive(_: int) -> bytes:
    """Build the request of the route that says that the process lives, which could not be faster."""
    return b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"


async def wait_until_up(port: int) -> None:
    """Wait until something listens on a port."""
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError("the service does not listen")
