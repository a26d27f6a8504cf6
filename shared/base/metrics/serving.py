"""`/metrics`, on a port of its own and from a thread of its own: it answers also while the event loop is busy.

It has no token, as business figures are among it: the port is for Prometheus only, and no customer's network.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Protocol

from prometheus_client import REGISTRY, CollectorRegistry, disable_created_metrics, start_http_server
from prometheus_client.core import Metric

from shared.base.metrics.process import measure_loop_lag
from shared.base.settings import Settings


class Source(Protocol):
    """A source of metrics."""

    def collect(self) -> Iterator[Metric]:
        """They, as they are now."""


class _All(CollectorRegistry):
    """The metrics of the process, then those of these sources."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        super().__init__()
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        yield from REGISTRY.collect()
        for source in self._sources:
            yield from source.collect()


@asynccontextmanager
async def serving_metrics(settings: Settings, *sources: Source) -> AsyncIterator[None]:
    """Serve the metrics while the block runs; nothing without a port."""
    if settings.metrics_port is None:
        yield
        return
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a third of all lines, and nobody reads them
    server, thread = start_http_server(settings.metrics_port, settings.host, _All(sources))
    watching = asyncio.create_task(measure_loop_lag(), name="loop lag")
    try:
        yield
    finally:
        watching.cancel()
        server.shutdown()
        server.server_close()
        thread.join()
