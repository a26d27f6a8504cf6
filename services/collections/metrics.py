"""Metrics of collections: cases, steps, notices, suspensions, the guard."""

from shared.base.metrics.figures import MetricQuery

FIGURES = (
    MetricQuery(
        """SELECT coalesce(stage, 'opened') AS stage, count(*) AS dunning_cases FROM cases
        WHERE closed_at IS NULL AND $1::timestamptz IS NOT NULL GROUP BY 1""",
        {"goodstanding_dunning_cases": "Accounts with an open dunning case, by the step that was taken last."},
        ("stage",),
    ),
    MetricQuery(
        """SELECT count(*) AS steps_due, extract(epoch FROM min(due_at)) AS steps_due_oldest_timestamp_seconds
        FROM items WHERE due_at <= $1""",
        {
            "goodstanding_steps_due": "Invoices that are to be judged and are not yet.",
            "goodstanding_steps_due_oldest_timestamp_seconds": "Since when the first of them waits (business clock).",
        },
    ),
    MetricQuery(
        """SELECT step, CASE WHEN waits_for = 'guard' THEN 'guard' ELSE 'gate' END AS held_by,
            count(*) AS steps_deferred, extract(epoch FROM min(since)) AS steps_deferred_oldest_timestamp_seconds
        FROM deferrals WHERE $1::timestamptz IS NOT NULL GROUP BY 1, 2""",
        {
            "goodstanding_steps_deferred": "Steps that are due and wait, for a gate of the policy or for the guard.",
            "goodstanding_steps_deferred_oldest_timestamp_seconds": "Since when the first waits (business clock).",
        },
        ("step", "held_by"),
    ),
    MetricQuery(
        """SELECT state, count(notices.id) AS notices
        FROM (VALUES ('pending'), ('failed')) AS states (state) LEFT JOIN notices USING (state)
        WHERE $1::timestamptz IS NOT NULL GROUP BY state""",
        {"goodstanding_notices": "Notices to customers that were not sent, by state; one that failed can be again."},
        ("state",),
    ),
    MetricQuery(
        """SELECT template, count(*) AS notices_created FROM notices WHERE $1::timestamptz IS NOT NULL GROUP BY 1""",
        {"goodstanding_notices_created": "Notices to customers ever wanted."},
        ("template",),
        kind="counter",
    ),
    MetricQuery(
        "SELECT count(*) AS suspensions_requested FROM suspensions WHERE requested_at <= $1",
        {"goodstanding_suspensions_requested": "Suspensions ever requested for non-payment."},
        kind="counter",
    ),
    MetricQuery(
        """SELECT state, count(suspensions.id) AS suspensions
        FROM (VALUES ('requested'), ('effective'), ('ending')) AS states (state)
        LEFT JOIN suspensions USING (state) WHERE $1::timestamptz IS NOT NULL GROUP BY state""",
        {"goodstanding_suspensions": "Suspensions for non-payment that stand or are under way, by state."},
        ("state",),
    ),
    MetricQuery(
        """SELECT state, count(suspensions.id) AS suspensions_finished
        FROM (VALUES ('withdrawn'), ('ended')) AS states (state)
        LEFT JOIN suspensions USING (state) WHERE $1::timestamptz IS NOT NULL GROUP BY state""",
        {
            "goodstanding_suspensions_finished": "Suspensions for non-payment that are over: withdrawn before access"
            " ended, or ended."
        },
        ("state",),
        kind="counter",
    ),
    MetricQuery(
        """SELECT count(*) FILTER (WHERE requested_at > $1::timestamptz - interval '1 hour')
                AS suspensions_requested_last_hour,
            count(*) / 168.0 AS suspensions_requested_hourly_mean
        FROM suspensions WHERE requested_at > $1::timestamptz - interval '7 days' AND requested_at <= $1""",
        {
            "goodstanding_suspensions_requested_last_hour": "Suspensions requested in the last hour (business clock).",
            "goodstanding_suspensions_requested_hourly_mean": "Their mean an hour over seven days (business clock).",
        },
    ),
    MetricQuery(
        """SELECT stopped::int AS guard_stopped,
            (SELECT count(*) FROM deferrals WHERE waits_for = 'guard') AS guard_held
        FROM guard WHERE id = 1 AND $1::timestamptz IS NOT NULL""",
        {
            "goodstanding_guard_stopped": "Whether a person has stopped all suspensions (1).",
            "goodstanding_guard_held": "Steps that the guard holds, as too many came or all are stopped.",
        },
    ),
    MetricQuery(
        """SELECT currency, sum(open_minor)::bigint AS collections_open_minor FROM items
        WHERE open_minor > 0 AND $1::timestamptz IS NOT NULL GROUP BY currency""",
        {"goodstanding_collections_open_minor": "What is open as far as collections has heard."},
        ("currency",),
    ),
)
