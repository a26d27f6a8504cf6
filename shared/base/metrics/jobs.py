"""Sweeps, workers and maintenance: when each last went well, how often it should, and what it did."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

LAST_SUCCESS = Gauge(
    "goodstanding_job_last_success_timestamp_seconds", "When a job last ended well, also if nothing was due.", ("name",)
)
INTERVAL = Gauge("goodstanding_job_interval_seconds", "How often a job runs at the least.", ("name",))
ITEMS = Counter("goodstanding_job_items", "Accounts, or other subjects, that a job has judged.", ("name",))
FAILED = Counter(
    "goodstanding_work_failures",
    "Accounts that broke a sweep, and intents that broke, which were set aside until a person has them tried again.",
    ("kind", "name"),
)
DURATION = Histogram(
    "goodstanding_job_duration_seconds",
    "How long a run of a job took that found something to do.",
    ("name",),
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300),
)
ATTEMPTS = Counter(
    "goodstanding_intent_attempts",
    "Calls to the outside, by outcome: done (recorded), later (tried again after a pause), broke (a defect).",
    ("kind", "outcome"),
)
ATTEMPT_DURATION = Histogram(
    "goodstanding_intent_attempt_duration_seconds",
    "How long one attempt took with all its calls.",
    ("kind",),
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)


def record_job_success(name: str, interval: float, items: int = 0, seconds: float = 0.0) -> None:
    """A job ended well; `items` is what it judged, in so many seconds."""
    record_job_run(name, interval, items, seconds, is_well=True)


def record_job_run(name: str, interval: float, items: int, seconds: float, *, is_well: bool) -> None:
    """Record a run of a job, which judged `items` in so many seconds."""
    if is_well:
        LAST_SUCCESS.labels(name).set_to_current_time()
    INTERVAL.labels(name).set(interval)
    ITEMS.labels(name).inc(items)
    if items:
        DURATION.labels(name).observe(seconds)


@contextmanager
def time_job_attempt(kind: str) -> Iterator[list[str]]:
    """Time one attempt at an intent; the block appends its outcome."""
    began, outcome = time.perf_counter(), list[str]()
    try:
        yield outcome
    finally:
        ATTEMPT_DURATION.labels(kind).observe(time.perf_counter() - began)
        ATTEMPTS.labels(kind, *(outcome or ["broke"])).inc()
