"""Metrics of entitlements: suspended subscriptions, the vendor's view of them, and calls to the vendor."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from shared.base.metrics.figures import MetricQuery

CALLS = Counter(
    "goodstanding_vendor_calls",
    "Calls to the vendor, by outcome: done, refused (for good), stale (changed meanwhile), throttled, passing (an"
    " error that may pass), unreachable.",
    ("operation", "outcome"),
)
DURATION = Histogram(
    "goodstanding_vendor_call_duration_seconds",
    "From a call to the vendor to its answer.",
    ("operation",),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
OPERATIONS = {"GET": "read", "PATCH": "change"}


@contextmanager
def time_vendor_call(method: str) -> Iterator[list[str]]:
    """Time one call to the vendor; the block appends its outcome, or it was not reached."""
    operation = OPERATIONS.get(method, method)
    began, outcome = time.perf_counter(), list[str]()
    try:
        yield outcome
    finally:
        DURATION.labels(operation).observe(time.perf_counter() - began)
        CALLS.labels(operation, (outcome or ["unreachable"])[-1]).inc()


_STANDING = """
SELECT h.subscription_id, min(h.placed_at) AS placed_at FROM holds h WHERE h.released_at IS NULL GROUP BY 1
"""
_FREED = "(SELECT max(released_at) FROM holds h WHERE h.subscription_id = e.subscription_id)"

FIGURES = (
    MetricQuery(
        """
        SELECT h.reason, age, count(*) AS suspended_subscriptions
        FROM holds h JOIN entitlements e USING (subscription_id), (VALUES ('0-7', -1000000, 7), ('8-30', 8, 30),
            ('31-90', 31, 90), ('90+', 91, 1000000)) AS ages (age, first, last)
        WHERE h.released_at IS NULL AND NOT e.allowed AND e.state <> 'ended'
            AND floor(extract(epoch FROM $1 - h.placed_at) / 86400) BETWEEN first AND last
        GROUP BY h.reason, age
        """,
        {
            "goodstanding_suspended_subscriptions": "Subscriptions without access, by reason and days of the hold; one"
            " with holds for two reasons counts for each."
        },
        ("reason", "age"),
    ),
    MetricQuery(
        f"""
        SELECT wanted, count(since) AS entitlements_unsettled,
            extract(epoch FROM min(since)) AS entitlements_unsettled_oldest_timestamp_seconds
        FROM (VALUES ('active'), ('suspended')) AS wishes (wanted) LEFT JOIN (
            SELECT CASE WHEN s.placed_at IS NULL THEN 'active' ELSE 'suspended' END AS wanted,
                coalesce(s.placed_at, {_FREED}, e.since) AS since
            FROM entitlements e LEFT JOIN ({_STANDING}) s USING (subscription_id)
            WHERE e.state <> 'ended' AND e.state <> CASE WHEN s.placed_at IS NULL THEN 'active' ELSE 'suspended' END
        ) AS unsettled USING (wanted)
        WHERE $1::timestamptz IS NOT NULL GROUP BY wanted
        """,
        {
            "goodstanding_entitlements_unsettled": "Subscriptions whose wanted state is not the vendor's yet.",
            "goodstanding_entitlements_unsettled_oldest_timestamp_seconds": "Since when the first is wanted otherwise"
            " (business clock).",
        },
        ("wanted",),
    ),
    MetricQuery(
        """SELECT count(*) AS entitlements, count(*) FILTER (WHERE NOT allowed) AS entitlements_denied,
            count(*) FILTER (WHERE state = 'ended') AS entitlements_ended,
            count(*) FILTER (WHERE failure_code IS NOT NULL) AS entitlements_refused_by_vendor
        FROM entitlements WHERE $1::timestamptz IS NOT NULL""",
        {
            "goodstanding_entitlements": "Subscriptions that somebody may be entitled to use.",
            "goodstanding_entitlements_denied": "Those without access now, the ended ones included.",
            "goodstanding_entitlements_ended": "Those whose subscription has ended.",
            "goodstanding_entitlements_refused_by_vendor": "Those whose last change the vendor refused for good.",
        },
    ),
)
