"""Loops that never give up: what they start afresh after, and what ends them."""

import asyncio

import asyncpg
import pytest
from aiokafka.errors import KafkaError

from shared.base import retries
from shared.base.retries import restart_on_error
from shared.pure.errors import Unavailable


class Enough(Exception):
    """The end of a test's loop."""


def breaking(*errors: BaseException | None) -> tuple[list[BaseException], asyncio.Task[None]]:
    """A loop whose work breaks like that, one after the other, or ends; and the breaks that it told of."""
    remaining, reported = [*errors, Enough()], list[BaseException]()

    async def work() -> None:
        await asyncio.sleep(0)
        if (error := remaining.pop(0)) is not None:
            raise error

    return reported, asyncio.create_task(restart_on_error(work, reported.append))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "AFRESH", 0)


async def test_it_starts_afresh_after_whatever_is_a_lost_connection() -> None:
    breaks = [
        KafkaError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 12"),
        ConnectionResetError(),
        TimeoutError(),
        Unavailable("the database is away"),
        RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"),
        asyncio.CancelledError(),  # a client's own future was, not the task
    ]
    reported, loop = breaking(*breaks, None)
    with pytest.raises(Enough):
        await loop
    assert reported == breaks


@pytest.mark.parametrize("defect", [RuntimeError("a defect"), ValueError(), KeyError("x")])
async def test_a_defect_ends_it(defect: Exception) -> None:
    reported, loop = breaking(defect)
    with pytest.raises(type(defect)):
        await loop
    assert reported == []


async def test_it_ends_when_it_is_cancelled() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    reported = list[BaseException]()
    loop = asyncio.create_task(restart_on_error(work, reported.append))
    await asyncio.sleep(0)
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
    assert reported == []
