"""Figures of a service's backbone tables, and of the database as its role sees it: one process of each reads them."""

from shared.base.metrics.figures import MetricQuery

FIGURES = (
    MetricQuery(
        """SELECT count(*) AS outbox_pending,
            (SELECT extract(epoch FROM (headers->>'ce_recordedtime')::timestamptz)
                FROM outbox ORDER BY position LIMIT 1) AS outbox_oldest_timestamp_seconds
        FROM outbox WHERE $1::timestamptz IS NOT NULL""",
        {
            "goodstanding_outbox_pending": "Events that wait for the relay.",
            "goodstanding_outbox_oldest_timestamp_seconds": "When the first of them was recorded (system's clock).",
        },
    ),
    MetricQuery(
        """SELECT topic, CASE WHEN error IS NULL THEN 'follower' WHEN type = 'unreadable' THEN 'unreadable' ELSE 'head'
            END AS place, CASE WHEN error IS NULL THEN 'none' WHEN type = 'unreadable' THEN 'Unreadable'
                ELSE coalesce(substring(error FROM '^([A-Za-z_][A-Za-z_0-9.]{2,79})[:(]'), 'other') END AS error,
            count(*) AS parked_events,
            extract(epoch FROM min(parked_at)) AS parked_oldest_timestamp_seconds
        FROM parked WHERE $1::timestamptz IS NOT NULL GROUP BY 1, 2, 3""",
        {
            "goodstanding_parked_events": "Events set aside: heads that broke, followers that wait behind a head or for"
            " one that is missing, and messages that are no events; by the class of the error.",
            "goodstanding_parked_oldest_timestamp_seconds": "When the oldest of them was set aside (system's clock).",
        },
        ("topic", "place", "error"),
    ),
    MetricQuery(
        """SELECT (SELECT count(*) FROM stopped) AS consumer_group_stopped,
            (SELECT extract(epoch FROM stopped_at) FROM stopped) AS consumer_group_stopped_timestamp_seconds
        WHERE $1::timestamptz IS NOT NULL""",
        {
            "goodstanding_consumer_group_stopped": "Whether the flood rule has stopped the group (1) until it is told.",
            "goodstanding_consumer_group_stopped_timestamp_seconds": "Since when (system's clock).",
        },
    ),
    MetricQuery(
        """SELECT topic, sum(end_offset - next_offset) AS backfill_messages_left
        FROM backfills WHERE finished_at IS NULL AND $1::timestamptz IS NOT NULL GROUP BY topic""",
        {
            "goodstanding_backfill_messages_left": "Messages of the past that are still to be read for types that the"
            " service consumes for the first time.",
        },
        ("topic",),
    ),
    MetricQuery(
        """SELECT kind, count(*) AS intents_unfinished, count(*) FILTER (WHERE attempts > 1) AS intents_retried,
            extract(epoch FROM min(created_at)) AS intents_oldest_timestamp_seconds
        FROM intents WHERE state = 'pending' AND $1::timestamptz IS NOT NULL GROUP BY kind""",
        {
            "goodstanding_intents_unfinished": "Calls to the outside that are wanted and not done.",
            "goodstanding_intents_retried": "Those of them that were tried more than once.",
            "goodstanding_intents_oldest_timestamp_seconds": "When the oldest of them was wanted (business clock).",
        },
        ("kind",),
    ),
    MetricQuery(
        """SELECT kind, name, error, count(*) AS failed_work,
            extract(epoch FROM min(failed_at)) AS failed_work_oldest_timestamp_seconds
        FROM failed_work WHERE $1::timestamptz IS NOT NULL GROUP BY 1, 2, 3""",
        {
            "goodstanding_failed_work": "Accounts that broke a sweep, and calls that broke: set aside until a person"
            " has them tried again; by the class of the error.",
            "goodstanding_failed_work_oldest_timestamp_seconds": "When the oldest of them failed (system's clock).",
        },
        ("kind", "name", "error"),
    ),
    MetricQuery(
        "SELECT kind, name, 1 AS stopped_work FROM stopped_work WHERE $1::timestamptz IS NOT NULL",
        {"goodstanding_stopped_work": "Sweeps and kinds of call that are stopped, since too many subjects failed (1)."},
        ("kind", "name"),
    ),
    MetricQuery(
        """SELECT name, count(*) AS due_work, extract(epoch FROM min(due_at)) AS due_work_oldest_timestamp_seconds
        FROM pending_work WHERE kind = 'due' AND due_at <= $1 GROUP BY name""",
        {
            "goodstanding_due_work": "Rows that are due and that a sweep has not judged yet.",
            "goodstanding_due_work_oldest_timestamp_seconds": "Since when the oldest of them is due (business clock).",
        },
        ("name",),
    ),
    MetricQuery(
        """SELECT d.numbackends AS postgres_connections, current_setting('max_connections')::int AS
            postgres_connections_limit, pg_database_size(d.datid) AS postgres_database_bytes,
            (SELECT extract(epoch FROM min(xact_start)) FROM pg_stat_activity
                WHERE usename = current_user AND pid <> pg_backend_pid() AND datid = d.datid)
                AS postgres_oldest_transaction_timestamp_seconds
        FROM pg_stat_database d WHERE d.datname = current_database() AND $1::timestamptz IS NOT NULL""",
        {
            "goodstanding_postgres_connections": "Connections to the database, of all roles.",
            "goodstanding_postgres_connections_limit": "So many are allowed on the server.",
            "goodstanding_postgres_database_bytes": "The size of the database.",
            "goodstanding_postgres_oldest_transaction_timestamp_seconds": "When the oldest open transaction of this"
            " service's role began (system's clock); of other roles nothing is seen.",
        },
    ),
    MetricQuery(
        """SELECT deadlocks AS postgres_deadlocks, xact_commit AS postgres_commits, xact_rollback AS postgres_rollbacks
        FROM pg_stat_database WHERE datname = current_database() AND $1::timestamptz IS NOT NULL""",
        {
            "goodstanding_postgres_deadlocks": "Deadlocks in the database, of all roles.",
            "goodstanding_postgres_commits": "Transactions committed in the database, of all roles.",
            "goodstanding_postgres_rollbacks": "Transactions rolled back in the database, of all roles.",
        },
        kind="counter",
    ),
)
