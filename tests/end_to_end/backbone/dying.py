"""`python -m tests.end_to_end.backbone.dying POINT PROGRAM SERVICE …`: a real program that meets its fate at a point.

The program is `shared.run` or `shared.redrive` of a service, or of a rehearsal: the event of the producer
SERVICE, whose effects are rows, and whose handler breaks on what stands in the table `broken`. With
the variable ONCE, the fate is met by the first process that finds no file of that name.
"""

import asyncio
import itertools
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import typer
from aiokafka import AIOKafkaProducer
from sqlalchemy import MetaData

from shared import redrive, run
from shared.base import kafka
from shared.base.kafka import MessageEnvelope
from shared.messaging import relay
from shared.messaging.consumer import EventHandlers
from shared.messaging.consumer.event_consumer import EventConsumer
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.service import NAMES, Service
from tests.component.shared.rehearsal import Broken, Rehearsed, declare_event

ONCE = "DYING_ONCE"
SESSION = 3.0
"""Kafka's session time-out for a rehearsal (seconds), shorter than usual, because what dies is waited for."""


async def die() -> None:
    """End as nothing can be prepared for."""
    os.kill(os.getpid(), signal.SIGKILL)


async def freeze() -> None:
    """Stop until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


async def block() -> None:
    """Hold the event loop for ever."""
    threading.Event().wait()


async def wait() -> None:
    """Never go on, though the event loop does."""
    await asyncio.Event().wait()


@dataclass(frozen=True)
class Point:
    """The n-th call of a function, before or after it, and what happens there."""

    owner: Any
    name: str
    fate: Callable[[], Awaitable[None]] = die
    after: bool = False
    nth: int = 1
    argument: object = None
    """Only calls with this argument count."""


async def had(unit: Unit, event: Rehearsed) -> None:
    """The rehearsal's effect."""
    await unit.connection.execute("INSERT INTO effects (subject, n) VALUES ($1, $2)", event.subject(), event.n)


HERE = sys.modules[__name__]
POINTS = {
    "between commit and publish": Point(AIOKafkaProducer, "send"),
    "amid the sends": Point(AIOKafkaProducer, "send", nth=4),
    "frozen amid the sends": Point(AIOKafkaProducer, "send", freeze, nth=4),
    "between acknowledgement and delete": Point(asyncpg.Connection, "execute", argument=relay._PUBLISHED),
    "between commit and offset": Point(EventConsumer, "_in_one_unit", after=True),
    "amid a batch": Point(HERE, "had", after=True, nth=40),
    "amid a subject": Point(HERE, "had", after=True, nth=2),
    "between two subjects": Point(redrive, "_go_on", after=True),
    "before what waited": Point(redrive, "_go_on"),
    "frozen with a batch": Point(EventConsumer, "_apply", freeze),
    "before the record": Point(intents, "record_intent_result"),
    "frozen in a handler": Point(HERE, "had", freeze, after=True),
    "blocked in a handler": Point(HERE, "had", block, after=True),
    "waiting in a handler": Point(HERE, "had", wait, after=True),
}


def arm(point: Point) -> None:
    """Let the fate wait at the point."""
    original, calls = getattr(point.owner, point.name), itertools.count(1)

    async def call_or_die(*arguments: Any, **named: Any) -> Any:
        counts = point.argument is None or any(argument is point.argument for argument in arguments)
        if counts and not point.after and next(calls) == point.nth:
            await meet(point)
        result = await original(*arguments, **named)
        # A call that broke has no moment after it: the next one that comes to its end counts.
        if counts and point.after and next(calls) == point.nth:
            await meet(point)
        return result

    setattr(point.owner, point.name, call_or_die)


async def meet(point: Point) -> None:
    """Have happen what waits at the point, unless another process met it."""
    if ONCE not in os.environ or is_first(Path(os.environ[ONCE])):
        await point.fate()


def is_first(once: Path) -> bool:
    """Whether no process was here before."""
    try:
        once.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


async def handle(unit: Unit, event: Rehearsed, _: MessageEnvelope) -> None:
    """Have the effect, then break if the table says so."""
    await had(unit, event)
    broken = "SELECT EXISTS (SELECT FROM broken WHERE subject = $1 AND n = $2)"
    if await unit.connection.fetchval(broken, event.subject(), event.n):
        raise Broken(f"cannot do {event.n}")


def rehearsal(producer: str) -> Service:
    """A service that hears its own event."""
    handlers = EventHandlers()
    handlers.on(declare_event(producer))(handle)
    return Service(producer, "a rehearsal", (), MetaData(), handlers)


def main(point: str, program: str, service: str, *arguments: str) -> None:
    """Be that program."""
    module = {"run": run, "redrive": redrive}[program]
    if point != "never":
        arm(POINTS[point])
    if service not in NAMES:
        module.load_service = rehearsal  # type: ignore[attr-defined]
        kafka.SESSION_TIMEOUT = SESSION
    sys.argv = [program, service, *arguments]
    typer.run(module.main)


if __name__ == "__main__":
    main(*sys.argv[1:])
