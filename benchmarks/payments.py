"""How many payments a second one process takes over REST, each allocated, posted and announced; beside the route
that says that the process lives, which could not be faster.

python -m benchmarks.payments [PAYMENTS]
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import orjson

from benchmarks import bill_run
from benchmarks.onwards import owing
from benchmarks.stage import Row, made_id, resident, row, running, staged
from deploy.local.ports import HOST, free_port
from deploy.local.tokens import Keys

PAYMENTS = 30_000
CONNECTIONS = 16
FLOOR, FLOOR_P99 = 600, 0.050
WARM = 500
"""Requests that are not counted: the first of each connection prepare statements."""
Request = Callable[[int], bytes]


class _Caller:
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
async def _callers(port: int) -> AsyncIterator[list[_Caller]]:
    pairs = [await asyncio.open_connection(HOST, port) for _ in range(CONNECTIONS)]
    try:
        yield [_Caller(*pair) for pair in pairs]
    finally:
        for _, writer in pairs:
            writer.close()


async def _ask(callers: list[_Caller], request: Request, first: int, count: int, status: int) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of their seconds, each caller asking one after the other."""
    numbers, took = iter(range(first, first + count)), list[float]()

    async def call(caller: _Caller) -> None:
        for number in numbers:
            started = time.perf_counter()
            answered = await caller.ask(request(number))
            took.append(time.perf_counter() - started)
            assert answered == status, f"request {number} was answered {answered}"

    started = time.perf_counter()
    await asyncio.gather(*map(call, callers))
    return count / (time.perf_counter() - started), statistics.quantiles(took, n=100)[98]


def _payment(token: str) -> Request:
    head = (
        "POST /v1/payments HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token}\r\nidempotency-key: {{}}\r\ncontent-length: {{}}\r\n\r\n"
    )

    def request(number: int) -> bytes:
        account: UUID = made_id(bill_run.ACCOUNT, number)
        paid = {
            "account_id": account,
            "amount": {"amount_minor": 11995, "currency": "EUR"},
            "reference": f"entry {number}",
        }
        body = orjson.dumps(paid)
        return head.format(uuid4(), len(body)).encode() + body

    return request


def _alive(_: int) -> bytes:
    return b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"


async def _until_up(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError("the service does not listen")


async def _run(count: int, warm: int) -> list[Row]:
    async with staged() as stage:
        keys = Keys(stage.folder / "keys")
        keys.publish(stage.folder / "jwks.json")
        await owing(stage, count + warm)
        port = free_port()
        with running(stage, stage.process("invoicing", "api", port=port)) as (pid,):
            await _until_up(port)
            async with _callers(port) as callers:
                pay = _payment(keys.token("invoicing"))
                await _ask(callers, pay, count, warm, 201)
                paid, p99 = await _ask(callers, pay, 0, count, 201)
                bare, bare_p99 = await _ask(callers, _alive, 0, count, 200)
            memory = resident(pid)
        owner = await asyncpg.connect(stage.url())
        left = await owner.fetchval("SELECT count(*) FROM invoicing.invoice_states WHERE open_minor > 0")
        commits = await _commits(stage.url())
        await owner.close()
        assert left == 0, f"{left} invoices are not paid"
    return [
        row(f"payments over REST, one process, {CONNECTIONS} connections", paid, "payments/s", FLOOR, bare, "higher"),
        row("99 of 100 payments are answered within", p99, "s", FLOOR_P99, bare_p99, "lower"),
        row("commits of one small row, 16 connections", commits, "commits/s", None, None, "higher"),
        row("the process after that, resident", memory, "MB", bill_run.MEMORY, None, "lower"),
    ]


async def _commits(url: str, count: int = 20_000) -> float:
    """Commits a second of the smallest transaction that writes."""
    pool = await asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS)
    await pool.execute("CREATE TABLE public.small (n int)")
    numbers = iter(range(count))

    async def write() -> None:
        async with pool.acquire() as connection:
            for number in numbers:
                await connection.execute("INSERT INTO public.small VALUES ($1)", number)

    started = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(CONNECTIONS)))
    taken = time.perf_counter() - started
    await pool.close()
    return count / taken


def measure(count: int = PAYMENTS, warm: int = WARM) -> list[Row]:
    """The rows of the report."""
    return asyncio.run(_run(count, warm))


if __name__ == "__main__":
    for one in measure(int(sys.argv[1]) if len(sys.argv) > 1 else PAYMENTS):
        print(one)
