"""How many payments a second one process takes over REST, each allocated, posted and announced; beside the route
that says that the process lives, which could not be faster.

python -m benchmarks.payments [PAYMENTS]
"""

import asyncio
import sys
import time
from uuid import UUID, uuid4

import asyncpg
import orjson

from benchmarks import bill_run
from benchmarks.callers import CONNECTIONS, Request, ask_all, ask_whether_alive, open_callers, wait_until_up
from benchmarks.onwards import owing
from benchmarks.stage import Row, made_id, resident, row, running, staged
from deploy.local.ports import find_free_port
from deploy.local.tokens import SigningKeyPair

PAYMENTS = 30_000
FLOOR, FLOOR_P99 = 600, 0.050
WARM = 500
"""Requests that are not counted: the first of each connection prepare statements."""


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


async def _run(count: int, warm: int) -> list[Row]:
    async with staged() as stage:
        keys = SigningKeyPair(stage.folder / "keys")
        keys.publish(stage.folder / "jwks.json")
        await owing(stage, count + warm)
        port = find_free_port()
        with running(stage, stage.process("invoicing", "api", port=port)) as (pid,):
            await wait_until_up(port)
            async with open_callers(port) as callers:
                pay = _payment(keys.token("invoicing"))
                await ask_all(callers, pay, count, warm, 201)
                paid, p99 = await ask_all(callers, pay, 0, count, 201)
                bare, bare_p99 = await ask_all(callers, ask_whether_alive, 0, count, 200)
            memory = resident(pid)
        owner = await asyncpg.connect(stage.url())
        still_open = await owner.fetchval("SELECT count(*) FROM invoicing.invoice_states WHERE open_minor > 0")
        commits = await _commits(stage.url())
        await owner.close()
        assert still_open == 0, f"{still_open} invoices are not paid"
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
    for figure in measure(int(sys.argv[1]) if len(sys.argv) > 1 else PAYMENTS):
        print(figure)
