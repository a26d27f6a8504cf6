"""What falls due with time: sweeps that claim whole accounts, and workers for intents; and maintenance.

In the sandbox both are woken by the clock's notification; else they look when woken in this process,
and every so often. Sweeps rest while the clock holds them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
from opentelemetry.trace import SpanKind

from shared import backbone_figures, clock, idempotency, intents
from shared.database import Unit
from shared.errors import Later, Unavailable
from shared.intents import Intent, Kind
from shared.metrics import Figures
from shared.metrics import jobs as metrics
from shared.retries import for_ever
from shared.telemetry import continued, log

if TYPE_CHECKING:
    from shared.runtime import Runtime

ACCOUNTS_A_UNIT = 200
"""How many accounts one unit of a sweep claims at most, unless it is set-based."""
TAKEN_PAUSE = 0.02
"""Before looking again at due accounts that are all in others' hands (seconds)."""
WORKERS = 4
"""How many intents are in work at once in one process."""

MAINTAIN_EVERY = 60.0
"""How often old idempotency keys are looked for (seconds)."""
MAINTAIN_PAUSE = 0.1
"""Between two chunks of what is pruned (seconds), so that it is never in the way of requests."""
SET_ASIDE = 300.0
"""For how long a subject that breaks a sweep is passed over (seconds): the others go on."""
MOST_SET_ASIDE = 20
"""How many subjects of a sweep are passed over at once: where more break it, the sweep is broken and not they."""
FINISH = 5.0
"""How long calls that were begun may take when the process is told to end (seconds); it is gone within 10."""
_STILL_DUE = "SELECT subject FROM unnest($2::text[]) AS subject WHERE subject = ANY(ARRAY({due}))"


@dataclass(frozen=True, slots=True)
class Sweep:
    """Timed work: `due` is a query of the accounts that are due at $1, `judge` acts on those it claimed.

    Those come first that wait the longest: in that order an index serves the query, however few or many are due.
    """

    name: str
    due: str
    judge: Callable[[Unit, list[str]], Awaitable[None]]
    set_based: bool = False
    """Whether a unit takes as many accounts as the settings say, since it costs hardly more for many."""


class Jobs:
    """Runs the sweeps and intents of one service until it is cancelled."""

    def __init__(self, runtime: "Runtime", sweeps: tuple[Sweep, ...], kinds: tuple[Kind, ...]) -> None:
        self._runtime = runtime
        self._sweeps = sweeps
        self._kinds = {kind.name: kind for kind in kinds}
        self._ending = False
        self._set_aside: dict[tuple[str, str], float] = {}
        service = runtime.service
        self.figures = Figures(service.name, (*backbone_figures.FIGURES, *service.figures), runtime.settings)

    async def run(self) -> None:
        """Sweep, work and listen until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop("sweeps", self.sweep_once))
            group.create_task(self._loop("intents", self.work_once))
            group.create_task(self._maintain())
            group.create_task(self.figures.run())
            if self._runtime.settings.clock == "sandbox":
                group.create_task(self._listen())

    async def _loop(self, name: str, once: Callable[[], Awaitable[bool]]) -> None:
        while True:
            try:
                more = await once()
                self._runtime.health.set(name, True, "running")
            except Unavailable as error:
                self._runtime.health.set(name, False, error.detail)
                more = False
            if not more:
                await self._runtime.wakeups.wait(name, self._runtime.settings.jobs_poll)

    async def sweep_once(self) -> bool:
        """Run each sweep once; whether anything was due."""
        chunk = self._runtime.settings.chunk_accounts
        limits = {sweep: chunk if sweep.set_based else ACCOUNTS_A_UNIT for sweep in self._sweeps}
        found = [await self._timed(*one) for one in limits.items()]
        if 0 in found:
            await asyncio.sleep(TAKEN_PAUSE)
        return any(number is not None for number in found)

    async def _timed(self, sweep: Sweep, limit: int) -> int | None:
        began = time.perf_counter()
        passed_over = self._list_set_aside(sweep)
        claimed: list[str] = []
        is_well = not passed_over
        try:
            number = await self._runtime.units.run(partial(_sweep, sweep, limit, passed_over, claimed))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # one account stops neither the others nor the process
            number, is_well = await self._judge_apart(sweep, claimed, error), False
        seconds = time.perf_counter() - began
        metrics.record_run(sweep.name, self._runtime.settings.jobs_poll, number or 0, seconds, is_well=is_well)
        return number

    async def _judge_apart(self, sweep: Sweep, subjects: Sequence[str], error: Exception) -> int | None:
        """Judge subjects whose unit broke by halves, until those that break it are alone: they are set aside.

        None where no subject is at fault: the query broke, or too many would be set aside.
        """
        if not subjects or len(self._list_set_aside(sweep)) >= MOST_SET_ASIDE:
            log.error("a sweep broke", sweep=sweep.name, error=type(error).__name__)
            return None
        if len(subjects) == 1:
            self._set_aside[sweep.name, subjects[0]] = time.monotonic() + SET_ASIDE
            metrics.SET_ASIDE.labels(sweep.name).inc()
            log.error("an account broke a sweep", sweep=sweep.name, account=subjects[0], error=type(error).__name__)
            return 1
        middle = len(subjects) // 2
        for half in (subjects[:middle], subjects[middle:]):
            try:
                await self._runtime.units.run(partial(_sweep_again, sweep, half))
            except Unavailable:
                raise
            except Exception as broken:  # noqa: BLE001  # it is told, and tried again later
                await self._judge_apart(sweep, half, broken)
        return len(subjects)

    def _list_set_aside(self, sweep: Sweep) -> list[str]:
        """List the subjects that a sweep passes over; those whose time is over are tried again."""
        now = time.monotonic()
        self._set_aside = {place: until for place, until in self._set_aside.items() if until > now}
        return [subject for name, subject in self._set_aside if name == sweep.name]

    async def _maintain(self) -> None:
        """Prune what is kept for a time only. Nothing waits for that, so it is no due work and shows in no view."""
        more = False
        while True:
            await asyncio.sleep(MAINTAIN_PAUSE if more else MAINTAIN_EVERY)
            try:
                more = await self._runtime.units.run(idempotency.prune)
                metrics.went_well("maintenance", MAINTAIN_EVERY)
            except Unavailable as error:
                log.warning("maintenance waits", error=error.detail)

    async def work_once(self) -> bool:
        """Work on some due intents; whether there were any."""
        if not self._kinds:
            return False
        working = asyncio.create_task(self._claim_and_work())
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            self._ending = True
            await _finish(working)
            raise

    async def _claim_and_work(self) -> bool:
        claimed = await self._runtime.units.run(lambda unit: intents.claim(unit, WORKERS))
        metrics.went_well("intents", self._runtime.settings.jobs_poll, len(claimed))
        if self._ending:
            await self._runtime.units.run(lambda unit: intents.hand_back(unit, claimed))
        else:
            await asyncio.gather(*(self.work(intent) for intent in claimed))
        return bool(claimed)

    async def work(self, intent: Intent) -> None:
        """Make the call of one claimed intent and record the result, or when to try again."""
        kind = self._kinds[intent.kind]
        span = continued(f"intent {intent.kind}", intent.traceparent, SpanKind.CLIENT)
        with span, metrics.attempt(intent.kind) as outcome:
            try:
                result = await kind.perform(self._runtime, intent)
                await self._runtime.units.run(lambda unit: intents.record(unit, kind, intent, result))
                outcome.append("done")
                log.info("intent", kind=intent.kind, intent=str(intent.id), account=str(intent.account_id))
            except Later as error:
                outcome.append("later")
                log.warning("intent later", kind=intent.kind, intent=str(intent.id), error=str(error))
                await self._later(intent, str(error))
            except Exception as error:  # noqa: BLE001  # a defect here must not stop the other intents
                log.exception("intent broke", kind=intent.kind, intent=str(intent.id))
                await self._later(intent, repr(error))

    async def _later(self, intent: Intent, error: str) -> None:
        await self._runtime.units.run(
            lambda unit: intents.postpone(unit, intent, unit.now + intents.back_off(intent.attempts), error[:500])
        )

    async def _listen(self) -> None:
        """Hear the sandbox's clock; while the connection is away, the poll serves."""
        await for_ever(self._hear, lambda _: None)

    async def _hear(self) -> None:
        def heard(*_: object) -> None:
            self._runtime.wakeups.wake("sweeps", "intents")

        connection = await asyncpg.connect(self._runtime.settings.database_url, timeout=3)
        try:
            await connection.add_listener(clock.CHANNEL, heard)
            heard()
            gone = asyncio.Event()
            connection.add_termination_listener(lambda _: gone.set())
            await gone.wait()
        finally:
            connection.terminate()


async def _finish(working: asyncio.Task[bool]) -> None:
    """Let claims be handed back, and calls that were begun come to their end, for a while.

    A call that takes longer is cut off, and keeps its lease: the other side may still be at it, so that a second
    one for the same key could overtake it. What it did is found out when the lease has run out.
    """
    await asyncio.wait({working}, timeout=FINISH)
    working.cancel()
    (outcome,) = await asyncio.gather(working, return_exceptions=True)
    if isinstance(outcome, BaseException):
        log.warning("intents were cut off", error=repr(outcome))


async def _sweep(sweep: Sweep, limit: int, passed_over: Collection[str], claimed: list[str], unit: Unit) -> int | None:
    """Claim accounts that are due and judge them; their number, or None if there is none to judge."""
    if unit.sweeps_held or await unit.connection.fetchval(f"{sweep.due} LIMIT 1", unit.now) is None:
        return None
    claimed[:] = await unit.claim(sweep.due, limit, passed_over)
    if claimed:
        await sweep.judge(unit, list(claimed))
    return len(claimed) or (None if passed_over else 0)


async def _sweep_again(sweep: Sweep, subjects: Sequence[str], unit: Unit) -> None:
    """Judge those of these accounts that are still due."""
    await unit.lock(*subjects)
    due = await unit.connection.fetch(_STILL_DUE.format(due=sweep.due), unit.now, subjects)
    if due:
        await sweep.judge(unit, [row["subject"] for row in due])
