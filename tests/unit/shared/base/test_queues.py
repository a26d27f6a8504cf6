"""Turns at one account: few at once, none lost, nobody else held up, and nothing kept once they are over."""

import asyncio

import pytest

from shared.base import unit_queues
from shared.base.unit_queues import AT_ONCE, UnitQueues
from shared.pure.errors import Unavailable


async def stand(line: UnitQueues, subject: object | None, inside: list[object], go: asyncio.Event) -> None:
    async with line.wait_turn(subject):
        inside.append(subject)
        await go.wait()


async def test_few_at_once_for_one_and_others_at_once() -> None:
    line, inside, go = UnitQueues(), list[object](), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for subject in ["hot"] * 20 + ["other", None, None, None]:
            tasks.create_task(stand(line, subject, inside, go))
        for _ in range(10):
            await asyncio.sleep(0)
        assert inside == ["hot"] * AT_ONCE + ["other", None, None, None]
        go.set()
    assert inside.count("hot") == 20
    assert line._queues == {}


async def test_whoever_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_queues, "WAIT", 0.01)
    line, inside, go = UnitQueues(), list[object](), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(stand(line, "hot", inside, go))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await stand(line, "hot", inside, go)
        go.set()
    assert line._queues == {}


async def test_a_turn_ends_with_whoever_had_it_however_it_ends() -> None:
    line = UnitQueues()
    for _ in range(3 * AT_ONCE):
        with pytest.raises(ValueError, match="a defect"):
            async with line.wait_turn("hot"):
                raise ValueError("a defect")
    assert line._queues == {}
