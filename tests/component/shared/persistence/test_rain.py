"""Units while the server ends their connections again and again: each is done once, or says that it could not be."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from shared.pure.errors import Unavailable
from tests.component.shared.rehearsal import SERVICE, Stage

UNITS, AT_ONCE, BETWEEN = 200, 10, 8
TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    f" WHERE usename = '{SERVICE}' AND datname = current_database()"
)


@asynccontextmanager
async def rain(stage: Stage) -> AsyncIterator[list[int]]:
    """Until the block ends, all connections of the role are ended whenever some more effects were had; how many."""
    ended: list[int] = []

    async def fall() -> None:
        had = 0
        async with stage.database.connected() as connection:
            while True:
                now = await connection.fetchval(f"SELECT count(*) FROM {SERVICE}.effects")
                if now >= had + BETWEEN:
                    ended.append(await connection.fetchval(TERMINATE))
                    had = now

    falling = asyncio.create_task(fall())
    try:
        yield ended
    finally:
        falling.cancel()
        await asyncio.wait([falling])


async def once(stage: Stage, account: UUID) -> bool:
    """Hear the account's one event; whether the unit says that it was done. Its watermark makes a second run safe."""
    try:
        await stage.hear(stage.message(account, 1))
    except Unavailable:
        return False
    return True


async def test_each_unit_is_done_once_or_says_that_it_could_not_be(stage: Stage) -> None:
    stage.echo = stage.event
    accounts = [uuid4() for _ in range(UNITS)]
    callers = asyncio.Semaphore(AT_ONCE)

    async def call(account: UUID) -> bool:
        async with callers:
            return await once(stage, account)

    async with rain(stage) as ended:
        done = await asyncio.gather(*(call(account) for account in accounts))
    assert sum(ended) >= UNITS // BETWEEN
    assert sum(done) >= UNITS // 4
    effects = Counter(row["subject"] for row in await stage.database.rows(f"SELECT subject FROM {SERVICE}.effects"))
    assert {effects[str(account)] for account, well in zip(accounts, done, strict=True) if well} == {1}
    assert max(effects.values()) == 1
    # The pool is as good as new: at once everything works, and what was not done is, once.
    assert all(await asyncio.gather(*(call(account) for account in accounts)))
    assert await stage.database.value(f"SELECT count(*) FROM {SERVICE}.effects") == UNITS
    assert sorted(headers["ce_subject"] for headers in await stage.outbox()) == sorted(map(str, accounts))
