"""Work that falls due with time: sweeps that claim whole accounts, and workers for intents; and maintenance.

In the sandbox both are woken by the clock's notification; else they look when woken in this process,
and every so often. Sweeps rest while the clock holds them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import httpx2
from opentelemetry.trace import SpanKind

from shared.base import backbone_figures, clock
from shared.base.connections.database import connect_database
from shared.base.health import Health
from shared.base.metrics import jobs as metrics_jobs
from shared.base.metrics.figures import MetricQuery, ServiceMetricQueries
from shared.base.retries import restart_on_error
from shared.base.settings import Settings
from shared.base.telemetry import continue_trace, log
from shared.base.transient_errors import describe_error_type, is_transient_error
from shared.base.wakeups import LoopWakeups
from shared.persistence.database import Units
from shared.persistence.failed_work import WorkKind
from shared.process import intents
from shared.process.intents import Intent, IntentKind
from shared.process.sweeps import Sweep, SweepRunner
from shared.pure.errors import RetryLater, Unavailable
from shared.web import idempotency

WORKERS = 4
"""How many intents are in work at once in one process."""

MAINTAIN_EVERY = 60.0
"""How often old idempotency keys are looked for (seconds)."""
MAINTAIN_PAUSE = 0.1
"""Between two chunks of what is pruned (seconds), so that it is never in the way of requests."""
FINISH = 5.0
"""How long calls that were begun may take when the process is told to end (seconds); it is gone within 10."""


class WorkingService(Protocol):
    """A service as its jobs see it."""

    @property
    def name(self) -> str: ...
    @property
    def figures(self) -> tuple[MetricQuery, ...]: ...


class JobHost(Protocol):
    """The process that jobs run in."""

    @property
    def service(self) -> WorkingService: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def health(self) -> Health: ...
    @property
    def wakeups(self) -> LoopWakeups: ...
    @property
    def units(self) -> Units: ...


class ServiceJobs:
    """Runs the sweeps and intents of one service until it is cancelled."""

    def __init__(self, runtime: JobHost, sweeps: tuple[Sweep, ...], kinds: tuple[IntentKind, ...]) -> None:
        self._runtime = runtime
        settings = runtime.settings
        self.sweeper = SweepRunner(runtime.units, sweeps, chunk=settings.chunk_accounts, interval=settings.jobs_poll)
        self._kinds = {kind.name: kind for kind in kinds}
        self._ending = False
        service = runtime.service
        self.figures = ServiceMetricQueries(
            service.name, (*backbone_figures.FIGURES, *service.figures), runtime.settings
        )

    async def run(self) -> None:
        """Sweep, work and listen until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop("sweeps", self.sweeper.run_due_sweeps))
            group.create_task(self._loop("intents", self.perform_due_intents))
            group.create_task(self._maintain())
            group.create_task(self.figures.run())
            if self._runtime.settings.clock == "sandbox":
                group.create_task(self._listen())

    async def _loop(self, name: str, once: Callable[[], Awaitable[bool]]) -> None:
        while True:
            try:
                more = await once()
                self._runtime.health.set_health(name, True, "running")
            except Unavailable as error:
                self._runtime.health.set_health(name, False, error.detail)
                more = False
            if not more:
                await self._runtime.wakeups.wait_for_wakeup(name, self._runtime.settings.jobs_poll)

    async def _maintain(self) -> None:
        """Prune what is kept for a time only. Nothing waits for that, so it is no due work and shows in no view."""
        more = False
        while True:
            await asyncio.sleep(MAINTAIN_PAUSE if more else MAINTAIN_EVERY)
            try:
                more = await self._runtime.units.run(idempotency.prune_idempotency_keys)
                metrics_jobs.record_job_success("maintenance", MAINTAIN_EVERY)
            except Unavailable as error:
                log.warning("maintenance waits", error=error.detail)

    async def perform_due_intents(self) -> bool:
        """Work on some due intents; whether there were any."""
        if not self._kinds:
            return False
        working = asyncio.create_task(self._claim_and_work())
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            self._ending = True
            await _drain(working)
            raise

    async def _claim_and_work(self) -> bool:
        claimed = await self._runtime.units.run(lambda unit: intents.claim_intents(unit, WORKERS))
        metrics_jobs.record_job_success("intents", self._runtime.settings.jobs_poll, len(claimed))
        if self._ending:
            await self._runtime.units.run(lambda unit: intents.release_intent_claims(unit, claimed))
        else:
            await asyncio.gather(*(self.perform_claimed_intent(intent) for intent in claimed))
        return bool(claimed)

    async def perform_claimed_intent(self, intent: Intent) -> None:
        """Make the call of one claimed intent and record the result, or when to try again."""
        kind = self._kinds[intent.kind]
        span = continue_trace(f"intent {intent.kind}", intent.traceparent, SpanKind.CLIENT)
        with span, metrics_jobs.time_job_attempt(intent.kind) as outcome:
            try:
                result = await kind.perform(self._runtime, intent)
                await self._runtime.units.run(lambda unit: intents.record_intent_result(unit, kind, intent, result))
                outcome.append("done")
                log.info("intent", kind=intent.kind, intent=str(intent.id), account=str(intent.account_id))
            except RetryLater as error:
                outcome.append("later")
                log.warning("intent later", kind=intent.kind, intent=str(intent.id), error=str(error))
                await self._later(intent, str(error))
            except Exception as error:  # noqa: BLE001  # a defect here must not stop the other intents
                log.exception("intent broke", kind=intent.kind, intent=str(intent.id))
                await self._keep_broken(intent, error)

    async def _keep_broken(self, intent: Intent, error: Exception) -> None:
        """Have an intent that broke tried again, or set aside; what passes by itself is always tried again."""
        if is_transient_error(error) or isinstance(error, httpx2.TransportError):
            await self._later(intent, describe_error_type(error))
        elif await self._runtime.units.run(lambda unit: intents.record_broken_attempt(unit, intent, error)):
            metrics_jobs.FAILED.labels(WorkKind.INTENT, intent.kind).inc()

    async def _later(self, intent: Intent, error: str) -> None:
        await self._runtime.units.run(
            lambda unit: intents.postpone_intent(
                unit, intent, unit.now + intents.compute_retry_pause(intent.attempts), error[:500]
            )
        )

    async def _listen(self) -> None:
        """Hear the sandbox's clock; while the connection is away, the poll serves."""
        await restart_on_error(self._hear, lambda _: None)

    async def _hear(self) -> None:
        def wake_jobs(*_: object) -> None:
            self._runtime.wakeups.wake_loops("sweeps", "intents")

        connection = await connect_database(self._runtime.settings, timeout=3)
        try:
            await connection.add_listener(clock.CHANNEL, wake_jobs)
            wake_jobs()
            gone = asyncio.Event()
            connection.add_termination_listener(lambda _: gone.set())
            await gone.wait()
        finally:
            connection.terminate()


async def _drain(working: asyncio.Task[bool]) -> None:
    """Let claims be handed back, and calls that were begun come to their end, for a while.

    A call that takes longer is cut off, and keeps its lease: the other side may still be at it, so that a second
    one for the same key could overtake it. What it did is found out when the lease has run out.
    """
    await asyncio.wait({working}, timeout=FINISH)
    working.cancel()
    (outcome,) = await asyncio.gather(working, return_exceptions=True)
    if isinstance(outcome, BaseException):
        log.warning("intents were cut off", error=repr(outcome))
