"""Requests, by method and route template, and one line of the log for each; a sample names its trace."""

import time
from functools import lru_cache
from typing import Any
from uuid import UUID

from opentelemetry import trace
from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.base.telemetry import identify_request, log

REQUESTS = Counter("goodstanding_http_requests", "Requests that were answered.", ("method", "route", "status"))
DURATION = Histogram(
    "goodstanding_http_request_duration_seconds",
    "From the request's first byte to the last of its answer.",
    ("method", "route"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_FLIGHT = Gauge("goodstanding_http_requests_in_flight", "Requests that are being answered now.", ("method",))

UNMATCHED = "unmatched"
"""The route of a request that no route takes: what was asked for is not shown."""
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
QUIET = "/health"
"""Requests for these are counted and not told, since they come every few seconds."""


# The labels of a counter are looked up under a lock; there are few of them, and each request needs the same.
@lru_cache
def _in_flight(method: str) -> Gauge:
    return IN_FLIGHT.labels(method)


@lru_cache(2000)
def _requests(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, str(status))


@lru_cache(500)
def _duration(method: str, route: str) -> Histogram:
    return DURATION.labels(method, route)


class ObservedApp:
    """An ASGI application whose requests are counted, timed and told."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"] if scope["method"] in METHODS else "other"
        began = time.perf_counter()
        in_flight = _in_flight(method)
        in_flight.inc()
        with identify_request(scope["headers"]):
            try:
                await self._app(scope, receive, send_counted)
            finally:
                in_flight.dec()
                _observe(scope, method, status, time.perf_counter() - began)


def _observe(scope: Scope, method: str, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path_format", UNMATCHED)
    _requests(method, route, status).inc()
    _duration(method, route).observe(seconds, _exemplar())
    if not route.startswith(QUIET):
        log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), **_account(scope))


def _account(scope: Scope) -> dict[str, Any]:
    """The account of the address, if that is an id: people type other things there too."""
    try:
        return {"account": str(UUID(scope["path_params"]["account_id"]))}
    except (KeyError, ValueError):
        return {}


def _exemplar() -> dict[str, str] | None:
    """The trace of this request, if it is kept."""
    context = trace.get_current_span().get_span_context()
    return {"trace_id": f"{context.trace_id:032x}"} if context.trace_flags.sampled else None
