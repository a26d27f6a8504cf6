"""The platform that all stand on: Postgres, Kafka, the processes."""

from deploy.grafana.board import DashboardBoard, PanelRow
from deploy.grafana.boards.places import EVENTS, SERVICE
from deploy.grafana.panels import (
    PER_TIME,
    PanelLook,
    PanelText,
    draw_bar_panel,
    draw_line_panel,
    draw_number_panel,
    draw_table_panel,
    link_to_runbook,
)
from deploy.grafana.queries import PanelQuery, compute_age, compute_quantile, compute_rate, compute_total

OURS = 'job="goodstanding"'
NOW = PanelRow(
    "Now",
    [
        draw_number_panel(
            PanelText(
                "Processes down",
                "That Prometheus does not reach.",
                "Is it down, frozen, or does it start again and again? Its log tells.",
                "none",
                [SERVICE, link_to_runbook("ProcessDown")],
            ),
            PanelQuery(f"count(up{{{OURS}}} == 0) or vector(0)", "down"),
            look=PanelLook(width=6, height=4, bad=1),
        ),
        draw_number_panel(
            PanelText(
                "Kafka: parts that reach it",
                "Relays and consumers that say that they work.",
                "Two or more that do not are the broker, one alone is itself.",
                "percentunit",
                [EVENTS, link_to_runbook("BrokerAway")],
            ),
            PanelQuery('avg(goodstanding_part_ok{part=~"relay|consumer"})', "reach"),
            look=PanelLook(width=6, height=4, warn=1, bad=0.8, low_is_bad=True),
        ),
        draw_number_panel(
            PanelText(
                "Postgres: parts that reach it",
                "Sweeps and workers that say that they work.",
                "Two or more that do not are Postgres, or locks that somebody holds.",
                "percentunit",
                [SERVICE, link_to_runbook("DatabaseAway")],
            ),
            PanelQuery('avg(goodstanding_part_ok{part=~"sweeps|intents"})', "reach"),
            look=PanelLook(width=6, height=4, warn=1, bad=0.8, low_is_bad=True),
        ),
        draw_number_panel(
            PanelText(
                "Postgres: connections",
                "Part of those that the server allows.",
                "Who has them? pg_stat_activity by usename; then lower the pools.",
                "percentunit",
                [SERVICE, link_to_runbook("DatabaseConnectionsShort")],
            ),
            PanelQuery("max(goodstanding_postgres_connections) / max(goodstanding_postgres_connections_limit)", "used"),
            look=PanelLook(width=6, height=4, warn=0.6, bad=0.8),
        ),
    ],
)
POSTGRES = PanelRow(
    "Postgres",
    [
        draw_line_panel(
            PanelText(
                "Transactions",
                "In a second, of all roles.",
                "Rolled back grows: units that are run again, see their outcomes.",
                "ops",
                [SERVICE, link_to_runbook("DatabaseAway")],
            ),
            PanelQuery("max(rate(goodstanding_postgres_commits_total[$__rate_interval]))", "committed"),
            PanelQuery("max(rate(goodstanding_postgres_rollbacks_total[$__rate_interval]))", "rolled back"),
            look=PanelLook(colours={"committed": "green", "rolled back": "red"}),
        ),
        draw_line_panel(
            PanelText(
                "Oldest open transaction",
                "Of each service's role.",
                "Past the line: end it, its locks are held.",
                "s",
                [SERVICE, link_to_runbook("DatabaseTransactionLong")],
            ),
            PanelQuery(
                compute_age("goodstanding_postgres_oldest_transaction_timestamp_seconds", "service"), "{{service}}"
            ),
            look=PanelLook(bad=300),
        ),
        draw_line_panel(
            PanelText(
                "Deadlocks",
                "In an hour. Locks are taken in one order, so there should be none.",
                "Find both statements in the server's log.",
                PER_TIME["h"],
                [SERVICE, link_to_runbook("DatabaseDeadlocks")],
            ),
            PanelQuery("3600 * max(rate(goodstanding_postgres_deadlocks_total[$__rate_interval]))", "deadlocks"),
            look=PanelLook(colour="red"),
        ),
        draw_line_panel(
            PanelText(
                "Connections",
                "Open, and how many are allowed.",
                "Near the limit: lower the pools or end what idles.",
                "none",
                [SERVICE, link_to_runbook("DatabaseConnectionsShort")],
            ),
            PanelQuery("max(goodstanding_postgres_connections)", "open"),
            PanelQuery("max(goodstanding_postgres_connections_limit)", "allowed"),
        ),
        draw_line_panel(
            PanelText(
                "Size of the database",
                "On disk.",
                "Grows faster than business: look for a table that nothing empties.",
                "bytes",
                [SERVICE, link_to_runbook("DatabaseTransactionLong")],
            ),
            PanelQuery("max(goodstanding_postgres_database_bytes)", "size"),
        ),
        draw_line_panel(
            PanelText(
                "Units that wait for a connection",
                "Of the pool of their process.",
                "Not zero for minutes: something holds connections for long.",
                "none",
                [SERVICE, link_to_runbook("DatabaseConnectionsShort")],
            ),
            PanelQuery(compute_total("goodstanding_database_pool_waiting", "service"), "{{service}}"),
        ),
    ],
)
KAFKA = PanelRow(
    "Kafka",
    [
        draw_line_panel(
            PanelText(
                "Relays that lead",
                "Of each service; one should.",
                "0: nobody sends. Two for long cannot be: ask the lock in Postgres.",
                "none",
                [EVENTS, link_to_runbook("OutboxStalled")],
            ),
            PanelQuery(compute_total("goodstanding_relay_leading", "service"), "{{service}}"),
        ),
        draw_line_panel(
            PanelText(
                "Parts that do not work",
                "Of all processes.",
                "The part names what it needs: relay and consumer Kafka, sweeps and intents Postgres.",
                "none",
                [EVENTS, link_to_runbook("BrokerAway")],
            ),
            PanelQuery("sum by (part) (1 - goodstanding_part_ok)", "{{part}}"),
            look=PanelLook(
                stacked=True,
                colours={"relay": "red", "consumer": "orange", "sweeps": "purple", "intents": "dark-red"},
            ),
        ),
        draw_line_panel(
            PanelText(
                "Batches read again or lost",
                "Since Postgres was away, or another member took over, in a minute.",
                "Going on: members come and go, look at their restarts.",
                PER_TIME["min"],
                [EVENTS, link_to_runbook("ConsumerStuck")],
            ),
            PanelQuery(
                "60 * sum(rate(goodstanding_consumer_retries_total[$__rate_interval])) or vector(0)", "read again"
            ),
            PanelQuery("60 * sum(rate(goodstanding_consumer_partitions_lost_total[$__rate_interval]))", "lost"),
            look=PanelLook(colours={"read again": "orange", "lost": "red"}),
        ),
    ],
)
PROCESSES = PanelRow(
    "Processes",
    [
        draw_line_panel(
            PanelText(
                "CPU",
                "Cores that each service uses.",
                "A whole core: start another process of the role that is busy.",
                "none",
                [SERVICE, link_to_runbook("EventLoopBlocked")],
            ),
            PanelQuery(compute_rate("process_cpu_seconds_total", "service", OURS), "{{service}}"),
            look=PanelLook(width=6, decimals=2),
        ),
        draw_line_panel(
            PanelText(
                "Memory",
                "Resident.",
                "Grows without end: start it again, then look for what keeps it.",
                "bytes",
                [SERVICE, link_to_runbook("ProcessDown")],
            ),
            PanelQuery(compute_total("process_resident_memory_bytes", "service", OURS), "{{service}}"),
            look=PanelLook(width=6),
        ),
        draw_line_panel(
            PanelText(
                "Event loop comes back late",
                "The slowest hundredth of looks.",
                "Something computes in it, or the CPU is short.",
                "s",
                [SERVICE, link_to_runbook("EventLoopBlocked")],
            ),
            PanelQuery(compute_quantile(0.99, "goodstanding_event_loop_lag_seconds", "service"), "{{service}}"),
            look=PanelLook(width=6, bad=0.5),
        ),
        draw_line_panel(
            PanelText(
                "Open files",
                "Sockets too, as a part of what is allowed.",
                "Near 100 %: connections are not closed.",
                "percentunit",
                [SERVICE, link_to_runbook("ProcessDown")],
            ),
            PanelQuery("max by (service) (process_open_fds / process_max_fds)", "{{service}}"),
            look=PanelLook(width=6),
        ),
        draw_table_panel(
            PanelText(
                "Which answer",
                "Each process that Prometheus should reach; 1 is well.",
                "0: look at the end of its log, and whether the launcher starts it again.",
                "none",
                [SERVICE, link_to_runbook("ProcessDown")],
            ),
            PanelQuery(f"max by (service, role, instance) (up{{{OURS}}})", ""),
            look=PanelLook(width=12, height=8),
        ),
        draw_bar_panel(
            PanelText(
                "Running for",
                "Since the process started.",
                "Young ones that nobody started: they die. Their log's end tells.",
                "s",
                [SERVICE, link_to_runbook("ProcessDown")],
            ),
            PanelQuery(f"time() - max by (service) (process_start_time_seconds{{{OURS}}})", "{{service}}"),
            look=PanelLook(width=12, height=8),
        ),
    ],
)
BOARD = DashboardBoard("gs-platform", "7 Platform", __doc__ or "", [NOW, POSTGRES, KAFKA, PROCESSES])
