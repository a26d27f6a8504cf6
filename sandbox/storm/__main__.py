"""`python -m sandbox.storm [--seconds 120] [--seed N]`: the demo's traffic in a storm, and what was left of it."""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import httpx2
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from deploy.local.children import StartFailedError
from deploy.local.stack import Stack, remove_stack_folder
from deploy.local.state import StackState
from sandbox import clock, topics
from sandbox.connections import open_pool
from sandbox.demo import close_case_loops
from sandbox.driver import Refused, SandboxDriver
from sandbox.generated import GeneratedYear, generate_year_of_invoices
from sandbox.idle import SystemNotSettled
from sandbox.replay import STANDARD, LedgerWorld
from sandbox.storm import judge
from sandbox.storm.proxies import TcpProxies
from sandbox.storm.schedule import PROXIED, StormStrike, schedule_strikes
from sandbox.storm.traffic import TIMEOUT, HastyMonitor, PatientAgenda, RetryingTransport
from sandbox.storm.weather import StormWeather

START = date(2025, 1, 1)
CALM = timedelta(days=5)
"""Business time that is lived through after the storm, so that whatever was put off comes to its end."""
LOOPS_CLOSED_EVERY = timedelta(days=7)

console = Console(highlight=False)


@dataclass
class StackStorm:
    """Parts of a storm, and its figures."""

    stack: Stack
    weather: StormWeather
    driver: SandboxDriver
    hasty: HastyMonitor
    stubborn: RetryingTransport
    patient: PatientAgenda
    seconds: float = 0.0

    async def blow_over_traffic(self, seed: int, seconds: float) -> None:
        """Live through years of traffic for so many seconds of bad weather, then let all settle.

        Raises SystemNotSettled.
        """
        weather = asyncio.create_task(self.weather.strike_processes(schedule_strikes(seed, seconds)))
        try:
            end = time.monotonic() + seconds
            reached = await self.live_through_traffic(seed, lambda: time.monotonic() > end)
            await weather
        finally:
            weather.cancel()
            await asyncio.gather(weather, return_exceptions=True)
        self.hasty.hasty = False
        began = time.monotonic()
        await self.driver.monitor.wait_until_settled()
        self.seconds = time.monotonic() - began
        await self.driver.run(lambda instant, _remaining: None, until=reached + CALM)

    async def live_through_traffic(self, seed: int, is_over: Callable[[], bool]) -> datetime:
        """Live through one year after the other until it is over; the instant reached."""
        reached = datetime.combine(START, datetime.min.time(), UTC)
        for number in range(100):
            year = _rename_customers(generate_year_of_invoices(seed + number, date(START.year + number, 1, 1)), number)
            world = LedgerWorld(year.invoices, year.profiles)
            await (world.register(self.driver) if number else world.prepare(self.driver, STANDARD.read_text()))
            world.plan_actions(self.patient)
            end = datetime.combine(year.end, datetime.min.time(), UTC)
            friday = world.get_first_instant() + timedelta(hours=15)
            while (friday := friday + LOOPS_CLOSED_EVERY) < end:
                self.patient.at(friday, close_case_loops)
            async for reached in self.driver.live_through_instants(end):
                if is_over():
                    return reached
        return reached


def _rename_customers(year: GeneratedYear, number: int) -> GeneratedYear:
    """Copy a year with customers of its own."""

    def own(name: str) -> str:
        return f"y{number}-{name}"

    invoices = [
        replace(invoice, customer=own(invoice.customer), number=own(invoice.number)) for invoice in year.invoices
    ]
    return GeneratedYear(invoices, {own(name): profile for name, profile in year.profiles.items()}, year.end)


@asynccontextmanager
async def open_storm(stack: Stack, proxies: TcpProxies) -> AsyncIterator[StackStorm]:
    """A storm on a running stack."""
    stubborn, began = RetryingTransport(), time.monotonic()

    def tell(strike: StormStrike) -> None:
        lasts = f" for {strike.lasts:.1f} s" if strike.lasts else ""
        console.print(f"{time.monotonic() - began:7.1f} s  {strike.kind} {strike.target}{lasts}")

    async with (
        open_pool(stack.database_access("monitor"), min_size=0, max_size=1, command_timeout=30) as pool,
        httpx2.AsyncClient(transport=stubborn, timeout=TIMEOUT) as http,
    ):
        hasty = HastyMonitor(pool)
        driver = SandboxDriver(http, hasty, stack)
        yield StackStorm(stack, StormWeather(stack, proxies, tell), driver, hasty, stubborn, PatientAgenda(driver))


async def storm_stack(stack: Stack, proxies: TcpProxies, seed: int, seconds: float) -> dict[str, list[str]]:
    """Storm, settle, and tell; the findings. Raises SystemNotSettled, Refused."""
    async with open_storm(stack, proxies) as current_storm:
        await current_storm.blow_over_traffic(seed, seconds)
        events = await topics.read_all_events(stack.kafka_access)
        log = stack.read_program_log("launcher")
        _tell(current_storm, len(events), log)
        return await judge.list_storm_findings(stack, events, current_storm.patient, current_storm.stubborn, log)


def _tell(finished_storm: StackStorm, events: int, launcher_log: str) -> None:
    table = Table("", "", show_header=False, box=None, pad_edge=False)
    table.add_row("struck", ", ".join(f"{kind} {n}" for kind, n in sorted(finished_storm.weather.struck.items())))
    table.add_row(
        "started again",
        ", ".join(f"{name} {n}" for name, n in sorted(judge.count_process_deaths(launcher_log).items())),
    )
    table.add_row("done meanwhile", ", ".join(f"{name} {n}" for name, n in sorted(finished_storm.patient.done.items())))
    table.add_row("asked again", f"{finished_storm.stubborn.again} times, by a caller who does not give up")
    table.add_row("instants", f"{finished_storm.driver.instants}, {events} events")
    table.add_row("settled", f"{finished_storm.seconds:.1f} s after the last strike")
    console.print(table)


def _port(state: StackState, name: str) -> int:
    """Where the proxy of that name leads to; Kafka tells its clients where to go, so it has a listener for them."""
    return state.get_port("kafka-proxied" if name == "kafka" else name)


def main(
    seconds: Annotated[float, typer.Option(min=1, help="how long the storm blows")] = 120,
    seed: Annotated[int | None, typer.Option(help="the same seed, the same strikes; at random if left out")] = None,
    metrics: Annotated[bool, typer.Option(help="count, log and tell Prometheus as in production")] = False,
) -> None:
    """Storm over a fresh stack, and check what is left of it."""
    chosen = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    console.print(f"a storm of {seconds:.0f} s with SEED={chosen}")
    os.environ[clock.START] = f"{START - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    folder = Path(tempfile.mkdtemp(prefix="goodstanding-storm-"))
    well, level = False, "info" if metrics else "warning"
    try:
        with (
            TcpProxies(PROXIED, partial(_port, StackState(folder))) as proxies,
            Stack(folder, log_level=level, metrics=metrics, proxies=proxies.ports) as stack,
        ):
            findings_by_check = uvloop.run(storm_stack(stack, proxies, chosen, seconds))
        for name, wrong in findings_by_check.items():
            console.print(f"{'[red]no ' if wrong else '[green]yes'}[/] {name}")
            for finding in wrong[:10]:
                console.print(f"      {finding}", markup=False)
        well = not any(findings_by_check.values())
    except (SystemNotSettled, Refused, StartFailedError) as error:
        console.print(str(error), style="red", markup=False)
    if not well:
        for line in judge.list_critical_lines(folder / "logs"):
            console.print(line, markup=False)
        console.print(f"the logs are in {folder / 'logs'}", markup=False)
        raise typer.Exit(1)
    remove_stack_folder(folder)


if __name__ == "__main__":
    typer.run(main)
