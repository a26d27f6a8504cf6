"""`python -m shared.run SERVICE [api|consumer|relay|jobs]`: one process of a service; without a role, all four."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Coroutine, Iterator
from typing import Annotated, Any

import typer
import uvicorn
import uvloop
from pydantic import ValidationError

from shared.base.metrics.process import Parts
from shared.base.metrics.serving import serving_metrics
from shared.base.settings import load_settings
from shared.base.telemetry import log, set_up_telemetry
from shared.messaging.consumer.event_consumer import EventConsumer
from shared.messaging.relay import OutboxRelay
from shared.process.runtime import Runtime
from shared.process.service import load_service
from shared.web.http import create_process_app
from shared.web.http.protocol import bound_connections

ROLES = ("api", "consumer", "relay", "jobs")
PARTS = {"relay": ("relay",), "consumer": ("consumer",), "jobs": ("sweeps", "intents")}
"""What each role says of itself in `/health/ready`."""
GRACE = 8
"""Seconds in which running requests may end after SIGTERM; a process is gone within 10."""


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the process has its own, for all its roles."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _keep_what_is_loaded() -> None:
    """Keep what is loaded until the process ends: to look through all of it for garbage, as each full collection
    would, held up every request of that moment for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


async def run(runtime: Runtime, roles: tuple[str, ...]) -> None:
    """Run these roles, and tell Prometheus of them, until SIGTERM or SIGINT; then end them in good order."""
    async with serving_metrics(runtime.settings, Parts(runtime.health), runtime.jobs.figures):
        await _run(runtime, roles)


async def _run(runtime: Runtime, roles: tuple[str, ...]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    config = uvicorn.Config(
        create_process_app(runtime, with_routes="api" in roles),
        host=runtime.settings.host,
        port=runtime.settings.port,
        http=bound_connections(runtime.settings.max_connections),
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nothing is decided by the address of a caller
        timeout_graceful_shutdown=GRACE,
    )
    server = _Server(config)
    works = list(_works(runtime, roles))
    _keep_what_is_loaded()
    for role, _ in works:  # a process is not ready before each of its roles has said that it works
        for part in PARTS[role]:
            runtime.health.set_health(part, False, "starting")
    serving = asyncio.create_task(server.serve(), name="api")
    working = [asyncio.create_task(work, name=role) for role, work in works]
    stopped = asyncio.create_task(stop.wait())
    log.info("started", roles=roles)
    await asyncio.wait([serving, stopped, *working], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    for task in working:
        task.cancel()
    results = await asyncio.gather(serving, *working, return_exceptions=True)
    stopped.cancel()
    await runtime.close()
    log.info("stopped")
    broken = [result for result in results if isinstance(result, Exception)]
    if not stop.is_set() and not broken:
        broken = [RuntimeError("it ended by itself, and nobody told it to")]
    if broken:
        raise ExceptionGroup("a role ended with an error", broken)


def _works(runtime: Runtime, roles: tuple[str, ...]) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    service, parts = runtime.service, (runtime.settings, runtime.wakeups, runtime.health)
    if "relay" in roles:
        yield "relay", OutboxRelay(service.name, *parts).run()
    if "consumer" in roles and service.handlers.list_topics():
        yield (
            "consumer",
            EventConsumer(service.name, service.handlers, runtime.units, runtime.settings, runtime.health).run(),
        )
    if "jobs" in roles:
        yield "jobs", runtime.jobs.run()


def main(
    service: Annotated[str, typer.Argument(help="invoicing, collections, entitlements or escalation")],
    role: Annotated[str | None, typer.Argument(help="api, consumer, relay or jobs; all four if left out")] = None,
) -> None:
    """Run one process of a service."""
    gc.disable()  # until all is loaded: nothing of that is garbage
    if role is not None and role not in ROLES:
        raise typer.BadParameter(f"{role!r} is no role")
    process = f"{service}/{role or 'all'}"
    set_up_telemetry(process)
    try:
        set_up_telemetry(process, load_settings().log_level)
    except ValidationError as error:  # its message shows what was set, passwords too
        log.critical("settings are missing or wrong", settings=[".".join(map(str, e["loc"])) for e in error.errors()])
        raise typer.Exit(1) from None
    runtime = Runtime(load_service(service), load_settings())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(runtime, (role,) if role else ROLES))


if __name__ == "__main__":
    typer.run(main)
