"""Figures that one process of a service reads from Postgres on an interval, never because somebody asks.

Each is declared with its query. Of several processes in the role `jobs` one reads and tells (a session advisory lock,
on a connection of its own): so nothing is told twice, and a sum over processes is right. A figure is told until the
next reading; one whose queries fail is told no more, and an alert says that it is missing.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import asyncpg
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from shared.base import clock
from shared.base.connections.database import connect_database
from shared.base.metrics import jobs
from shared.base.retries import restart_on_error
from shared.base.settings import Settings
from shared.base.telemetry import log

STAND_BY = 5.0
"""How often a process that does not read tries to take over (seconds)."""


@dataclass(frozen=True, slots=True, eq=False)
class MetricQuery:
    """One or more metrics from one query at $1 = the business clock's now.

    The columns named in `labels` are labels; each column named in `values` is a metric of its own, with its help
    text. Money is in minor units, and then a column `currency` is among the labels.
    """

    query: str
    values: dict[str, str]
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter"] = "gauge"
    daily: bool = False
    """Whether it is read once for each day (UTC) of the business clock."""


BUSINESS_TIME = "goodstanding_business_timestamp_seconds"
Rows = Sequence[asyncpg.Record]
_FAMILIES = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}


class ServiceMetricQueries:
    """The figures of one service: read on an interval while this process holds the lock."""

    def __init__(self, service: str, figures: Iterable[MetricQuery], settings: Settings) -> None:
        self._service = service
        self._figures = tuple(figures)
        self._settings = settings
        self._told: dict[MetricQuery, Rows] = {}
        self._days: dict[MetricQuery, date] = {}
        self._now: datetime | None = None

    async def run(self) -> None:
        """Read for ever, with a new connection after each break; nothing if nobody serves metrics."""
        if self._settings.metrics_port is not None:
            await restart_on_error(self._lead, self._broke)

    def _broke(self, error: BaseException) -> None:
        self._forget()
        log.warning("figures are not read", error=type(error).__name__)

    def _forget(self) -> None:
        self._told, self._days, self._now = {}, {}, None

    async def _lead(self) -> None:
        connection = await connect_database(self._settings, timeout=3, command_timeout=30)
        try:
            await self._become_reader(connection)
            while True:
                await self.read_metric_values(connection)
                await asyncio.sleep(self._settings.metrics_interval)
        finally:
            self._forget()
            connection.terminate()

    async def _become_reader(self, connection: asyncpg.Connection) -> None:
        taken = "SELECT pg_try_advisory_lock(hashtext('figures'), hashtext($1))"
        while not await connection.fetchval(taken, self._service):  # noqa: ASYNC110  # another process lets go
            await asyncio.sleep(STAND_BY)

    async def read_metric_values(self, connection: asyncpg.Connection) -> None:
        """Read what is to be read now; all of it sees the database at one moment."""
        began = time.perf_counter()
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            now = await self._business_now(connection)
            for figure in self._figures:
                if not figure.daily or self._days.get(figure) != now.date():
                    await self._read_one(connection, figure, now)
        self._now = now
        took = time.perf_counter() - began
        jobs.record_job_success("figures", self._settings.metrics_interval, len(self._told), took)

    async def _read_one(self, connection: asyncpg.Connection, figure: MetricQuery, now: datetime) -> None:
        try:
            async with connection.transaction():  # so that one that breaks leaves the others readable
                self._told[figure] = await connection.fetch(figure.query, now)
            self._days[figure] = now.date()
        except asyncpg.PostgresError as error:
            self._told.pop(figure, None)
            log.error("a figure cannot be read", figure=next(iter(figure.values)), error=type(error).__name__)

    async def _business_now(self, connection: asyncpg.Connection) -> datetime:
        if self._settings.clock == "sandbox":
            return (await clock.read_sandbox_clock(connection))[0]
        await connection.execute("SELECT 1")
        return clock.read_system_clock()

    def collect(self) -> Iterator[Metric]:
        """Collect the figures that were read last."""
        rows_by_figure, now = dict(self._told), self._now
        if now is not None:
            help_ = "The business clock when the figures were read: what ages in business time is measured by it."
            yield GaugeMetricFamily(BUSINESS_TIME, help_, value=now.timestamp())
        for figure, rows in rows_by_figure.items():
            yield from _metrics(figure, rows)


def _metrics(figure: MetricQuery, rows: Rows) -> Iterator[Metric]:
    for name, help_ in figure.values.items():
        family = _FAMILIES[figure.kind](name, help_, labels=figure.labels)
        column = name.removeprefix("goodstanding_")
        for row in rows:
            if row[column] is not None:
                family.add_metric([str(row[label]) for label in figure.labels], float(row[column]))
        yield family
