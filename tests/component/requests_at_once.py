"""Requests that come at once, of which each has begun before another one is done."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx2

from tests.builders import Database

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def send_at_once(
    database: Database, row: str, send: Callable[[int], Awaitable[httpx2.Response]], count: int
) -> list[int]:
    """Send requests that write one row, while it is locked until all of them wait; their statuses in order.

    `row` is the table and the condition that finds it.
    """

    async def answer(number: int) -> int:
        return (await send(number)).status_code

    async with database.connected() as holder, asyncio.TaskGroup() as group, holder.transaction():
        await holder.execute(f"SELECT FROM {row} FOR UPDATE")
        tasks = [group.create_task(answer(number)) for number in range(count)]
        while await database.value(WAITING) < count:  # noqa: ASYNC110  # the database says when
            await asyncio.sleep(0.01)
    return sorted(task.result() for task in tasks)
