"""The process itself: its pool of database connections, its units, its event loop, its parts."""

import asyncio
from collections.abc import Iterator

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from shared.base.health import Health

POOL_SIZE = Gauge("goodstanding_database_pool_connections", "Connections that the pool may open.")
POOL_IN_USE = Gauge("goodstanding_database_pool_in_use", "Connections that a unit works with now.")
POOL_WAITING = Gauge("goodstanding_database_pool_waiting", "Units that wait for a connection now.")
UNITS = Counter(
    "goodstanding_database_units", "Attempts at units, by outcome: committed, transient, refused.", ("outcome",)
)
LOOP_LAG = Histogram(
    "goodstanding_event_loop_lag_seconds",
    "How much later than asked for the event loop came back, looked at four times a second.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 20),
)
LOOK_EVERY = 0.25
"""How often the event loop is looked at (seconds)."""


async def measure_loop_lag() -> None:
    """Measure how late the event loop is, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        asked = loop.time() + LOOK_EVERY
        await asyncio.sleep(LOOK_EVERY)
        LOOP_LAG.observe(max(0.0, loop.time() - asked))


PART_OK = "goodstanding_part_ok"


class Parts:
    """State of a process's parts as in `/health/ready`, for Prometheus."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """Collect one gauge, with a sample for each part."""
        gauge = GaugeMetricFamily(PART_OK, "Whether a part of this process works (1) or not (0).", labels=["part"])
        for part, (well, _) in list((self._health.parts | self._health.outside).items()):
            gauge.add_metric([part], float(well))
        yield gauge
