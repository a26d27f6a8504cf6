"""One service: what it is asked, what fails and how long it takes; then what its processes wait for."""

from deploy.grafana.board import SERVICE, DashboardBoard, PanelRow
from deploy.grafana.boards.places import EVENTS, PLATFORM
from deploy.grafana.panels import PanelLook, PanelText, draw_line_panel, draw_number_panel, link_to_runbook
from deploy.grafana.queries import PanelQuery, compute_quantile, compute_rate

OF = 'service="$service"'
ASKED = f'{OF},route!~"/health/.*"'
TIMED = "goodstanding_http_request_duration_seconds"
SMALL = PanelLook(width=6, height=4)

NOW = PanelRow(
    "Now",
    [
        draw_number_panel(
            PanelText(
                "Requests",
                "Answered in a second, health left out.",
                "None at all: is it reached? See which of its processes answer.",
                "reqps",
                [PLATFORM, link_to_runbook("ProcessDown")],
            ),
            PanelQuery(f"sum(rate(goodstanding_http_requests_total{{{ASKED}}}[$__rate_interval]))", "requests"),
            look=SMALL,
        ),
        draw_number_panel(
            PanelText(
                "Failed",
                "Part of the requests that were answered with 5xx.",
                "See below which status: 503 is a"
                " database that is away or locks that are held, 500 is a defect with its trace in the log.",
                "percentunit",
                [PLATFORM, link_to_runbook("ErrorBudgetBurnsFast")],
            ),
            PanelQuery(
                f'(sum(rate(goodstanding_http_requests_total{{{ASKED},status=~"5.."}}[$__rate_interval])) or vector(0))'
                f" / sum(rate(goodstanding_http_requests_total{{{ASKED}}}[$__rate_interval]))",
                "failed",
            ),
            look=PanelLook(width=6, height=4, warn=0.001, bad=0.0144, none="no requests"),
        ),
        draw_number_panel(
            PanelText(
                "Slowest hundredth",
                "From the first byte of a request to the last of its answer.",
                "See below which route; if all, look at the pool and the event loop.",
                "s",
                [PLATFORM, link_to_runbook("EventLoopBlocked")],
            ),
            PanelQuery(compute_quantile(0.99, TIMED, "", ASKED), "p99"),
            look=PanelLook(width=6, height=4, warn=0.5, bad=2),
        ),
        draw_number_panel(
            PanelText(
                "Parts that work",
                "Of what each process says of its own parts.",
                "See below which part; a relay or consumer alone is Kafka, sweeps and intents are Postgres.",
                "percentunit",
                [PLATFORM, link_to_runbook("BrokerAway"), link_to_runbook("DatabaseAway")],
            ),
            PanelQuery(f"avg(goodstanding_part_ok{{{OF}}})", "well"),
            look=PanelLook(width=6, height=4, warn=1, bad=0.7, low_is_bad=True),
        ),
    ],
)
REQUESTS = PanelRow(
    "Requests",
    [
        draw_line_panel(
            PanelText(
                "Requests by route",
                "Answered in a second.",
                "One route much busier than usual: a caller in a loop. Ask the log for its traces.",
                "reqps",
                [PLATFORM, link_to_runbook("ErrorBudgetBurnsSlowly")],
            ),
            PanelQuery(
                f"topk(8, {compute_rate('goodstanding_http_requests_total', 'method, route', ASKED)})",
                "{{method}} {{route}}",
            ),
            look=PanelLook(width=12, height=9),
        ),
        draw_line_panel(
            PanelText(
                "Requests by status",
                "Answered in a second.",
                "5xx: ours to mend. Many 409 or 422: a caller that does"
                " not know the rules; its operator should be told.",
                "reqps",
                [PLATFORM, link_to_runbook("ErrorBudgetBurnsFast")],
            ),
            PanelQuery(compute_rate("goodstanding_http_requests_total", "status", ASKED), "{{status}}"),
            look=PanelLook(
                width=12,
                height=9,
                stacked=True,
                colours={"/^5/": "red", "/^4/": "yellow", "200": "green", "201": "blue", "204": "light-blue"},
            ),
        ),
        draw_line_panel(
            PanelText(
                "How long requests take",
                "Half, 95 of 100 and 99 of 100 of all requests; a dot is one that has a trace.",
                "Follow a dot to its trace: it shows where the time went.",
                "s",
                [PLATFORM, link_to_runbook("EventLoopBlocked")],
            ),
            PanelQuery(compute_quantile(0.5, TIMED, "", ASKED), "half"),
            PanelQuery(compute_quantile(0.95, TIMED, "", ASKED), "95 %"),
            PanelQuery(compute_quantile(0.99, TIMED, "", ASKED), "99 %"),
            look=PanelLook(width=12, height=8, exemplars=True, warn=1),
        ),
        draw_line_panel(
            PanelText(
                "Slowest routes",
                "95 of 100 requests are faster.",
                "Look at the queries of the slowest route, and at its locks.",
                "s",
                [PLATFORM, link_to_runbook("DatabaseTransactionLong")],
            ),
            PanelQuery(f"topk(6, {compute_quantile(0.95, TIMED, 'method, route', ASKED)})", "{{method}} {{route}}"),
            look=PanelLook(width=12, height=8),
        ),
    ],
)
INSIDE = PanelRow(
    "What its processes wait for",
    [
        draw_line_panel(
            PanelText(
                "Units",
                "Transactions by how they ended, in a second.",
                "`transient`: run again since Postgres was away or a lock was held. Look at Postgres.",
                "ops",
                [PLATFORM, link_to_runbook("DatabaseAway")],
            ),
            PanelQuery(compute_rate("goodstanding_database_units_total", "outcome", OF), "{{outcome}}"),
            look=PanelLook(colours={"committed": "green", "transient": "orange", "refused": "purple"}),
        ),
        draw_line_panel(
            PanelText(
                "Pool of connections",
                "In use, allowed, and units that wait for one.",
                "Units wait: something holds connections for long, most often a lock.",
                "none",
                [PLATFORM, link_to_runbook("DatabaseConnectionsShort")],
            ),
            PanelQuery(f"sum(goodstanding_database_pool_in_use{{{OF}}})", "in use"),
            PanelQuery(f"sum(goodstanding_database_pool_connections{{{OF}}})", "allowed"),
            PanelQuery(f"sum(goodstanding_database_pool_waiting{{{OF}}})", "waiting"),
            look=PanelLook(colours={"waiting": "red", "allowed": "light-blue", "in use": "green"}),
        ),
        draw_line_panel(
            PanelText(
                "Event loop comes back late",
                "The slowest hundredth of looks.",
                "Something computes in the loop, or the machine is overloaded: compare with the CPU.",
                "s",
                [PLATFORM, link_to_runbook("EventLoopBlocked")],
            ),
            PanelQuery(compute_quantile(0.99, "goodstanding_event_loop_lag_seconds", "instance", OF), "{{instance}}"),
            look=PanelLook(bad=0.5),
        ),
        draw_line_panel(
            PanelText(
                "Events that it handles",
                "By outcome, in a second.",
                "`head`: one that broke. `parked`: behind it.",
                "ops",
                [EVENTS, link_to_runbook("EventParked")],
            ),
            PanelQuery(compute_rate("goodstanding_consumer_events_total", "outcome", OF), "{{outcome}}"),
            look=PanelLook(
                width=12,
                colours={
                    "head": "red",
                    "unreadable": "dark-red",
                    "foreign": "dark-red",
                    "handled": "green",
                    "parked": "orange",
                    "passed": "light-blue",
                    "dropped": "yellow",
                },
            ),
        ),
        draw_line_panel(
            PanelText(
                "Requests in flight",
                "Being answered now.",
                "Grows while nothing gets slower outside: a dependency holds them; see the pool.",
                "none",
                [PLATFORM, link_to_runbook("DatabaseConnectionsShort")],
            ),
            PanelQuery(f"sum by (method) (goodstanding_http_requests_in_flight{{{OF}}})", "{{method}}"),
            look=PanelLook(width=12),
        ),
    ],
)
BOARD = DashboardBoard("gs-service", "2 One service", __doc__ or "", [NOW, REQUESTS, INSIDE], [SERVICE])
