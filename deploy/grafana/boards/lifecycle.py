"""The way of all invoices from their issue to reinstatement: whether something is wrong, and where to look."""

from deploy.grafana.board import DashboardBoard, PanelRow
from deploy.grafana.boards.places import CASES, EVENTS, MONEY, PLATFORM, SERVICE, VENDOR
from deploy.grafana.panels import (
    PanelLook,
    PanelText,
    draw_line_panel,
    draw_number_panel,
    draw_table_panel,
    link_to_runbook,
)
from deploy.grafana.queries import (
    PanelQuery,
    compute_business_age,
    compute_failing_share,
    compute_quantile,
    compute_rate,
    compute_total,
    count_now,
)

FIRING = 'ALERTS{alertstate="firing",severity=~"page|ticket"}'
SMALL = PanelLook(width=4, height=4, bad=1)
FIRST = 3, 8
"""Width and height of the numbers beside the list of alerts."""
COUNTED = PanelLook(width=4, height=4)

WRONG = PanelRow(
    "Is anything wrong?",
    [
        draw_number_panel(
            PanelText(
                "Pages",
                "Alerts that wake somebody.",
                "Open the list beside this; each has a runbook.",
                "none",
                [PLATFORM, link_to_runbook("README")],
            ),
            PanelQuery('count(ALERTS{alertstate="firing",severity="page"}) or vector(0)', "pages"),
            look=PanelLook(*FIRST, bad=1),
        ),
        draw_number_panel(
            PanelText(
                "Tickets",
                "Alerts that wait for the morning.",
                "Read the list; a page of the same service is their cause.",
                "none",
                [PLATFORM, link_to_runbook("README")],
            ),
            PanelQuery('count(ALERTS{alertstate="firing",severity="ticket"}) or vector(0)', "tickets"),
            look=PanelLook(*FIRST, warn=1),
        ),
        draw_number_panel(
            PanelText(
                "Processes that answer",
                "Part of our processes that Prometheus reaches.",
                "See which is down on the platform's dashboard, and why in its log.",
                "percentunit",
                [PLATFORM, link_to_runbook("ProcessDown")],
            ),
            PanelQuery('avg(up{job="goodstanding"})', "up"),
            look=PanelLook(*FIRST, warn=1, bad=0.7, low_is_bad=True),
        ),
        draw_number_panel(
            PanelText(
                "Error budget left",
                "Of the least well service: what is left of the 0.1 % of requests that may fail, over the time shown.",
                "Find the service in the burn below, then its failing routes.",
                "percentunit",
                [SERVICE, link_to_runbook("ErrorBudgetBurnsSlowly")],
            ),
            PanelQuery(f"clamp_min(min(1 - {compute_failing_share('$__range')} / 0.001), -1)", "left"),
            look=PanelLook(*FIRST, warn=0.5, bad=0.1, low_is_bad=True),
        ),
        draw_table_panel(
            PanelText(
                "What fires now",
                "Alerts that fire, with their service.",
                "Take the pages first: a page explains the"
                " tickets of its service. Each alert has a runbook of its name.",
                "none",
                [link_to_runbook("README")],
            ),
            PanelQuery(f"count by (alertname, severity, service) ({FIRING})", ""),
            look=PanelLook(width=12, height=8, none="Nothing fires"),
        ),
    ],
)
BUDGET = PanelRow(
    "Error budgets and delays",
    [
        draw_line_panel(
            PanelText(
                "How fast the error budget burns",
                "Failed requests of the last hour beside the 0.1 % that may fail; at"
                " 14.4 the budget of a month is gone in two days.",
                "Above the line: open the service and look which routes fail, and whether Postgres is the cause.",
                "suffix: ×",
                [SERVICE, link_to_runbook("ErrorBudgetBurnsFast")],
            ),
            PanelQuery(
                "goodstanding:http_errors:ratio_rate1h / 0.001 or on (service)"
                f" 0 * {compute_rate('goodstanding_http_requests_total', 'service')}",
                "{{service}}",
            ),
            look=PanelLook(bad=14.4),
        ),
        draw_line_panel(
            PanelText(
                "Slowest hundredth of requests",
                "From the first byte of a request to the last of its answer.",
                "Open the service: is it one route, or do all wait for the pool or the event loop?",
                "s",
                [SERVICE, link_to_runbook("EventLoopBlocked")],
            ),
            PanelQuery(compute_quantile(0.99, "goodstanding_http_request_duration_seconds", "service"), "{{service}}"),
            look=PanelLook(warn=1),
        ),
        draw_line_panel(
            PanelText(
                "Slowest hundredth of effects",
                "From the record of a fact to its effect in another service.",
                "Look whether the outbox waits, a consumer lags, or a head is parked.",
                "s",
                [EVENTS, link_to_runbook("EffectsLate")],
            ),
            PanelQuery(compute_quantile(0.99, "goodstanding_event_effect_seconds", "service"), "{{service}}"),
            look=PanelLook(bad=30),
        ),
    ],
)
WAY = PanelRow(
    "From invoice to reinstatement",
    [
        draw_number_panel(
            PanelText(
                "Invoices to be judged",
                "Due at this instant and not judged yet.",
                "Zero is usual between sweeps. If it stays, the sweep is late or breaks.",
                "none",
                [VENDOR, link_to_runbook("StepOverdue")],
            ),
            PanelQuery("sum(goodstanding_steps_due)", "due"),
            look=PanelLook(width=4, height=4, warn=50),
        ),
        draw_number_panel(
            PanelText(
                "Open dunning cases",
                "Accounts that are late or about to be.",
                "A jump after a bill run is usual, one without is not: compare balances first.",
                "none",
                [MONEY, link_to_runbook("BalancesDiffer")],
            ),
            PanelQuery(count_now("goodstanding_dunning_cases", "collections"), "cases"),
            look=COUNTED,
        ),
        draw_number_panel(
            PanelText(
                "Notices on their way",
                "Wanted and not yet taken by the mail hop.",
                "If it grows the mail hop is away or refuses; no suspension goes on without its notice.",
                "none",
                [MONEY, link_to_runbook("NoticesWait")],
            ),
            PanelQuery('sum(goodstanding_notices{state="pending"})', "pending"),
            look=PanelLook(width=4, height=4, warn=20),
        ),
        draw_number_panel(
            PanelText(
                "Without access",
                "Subscriptions that may not be used now.",
                "More than usual: look at the guard and at what was requested within an hour before anything else.",
                "none",
                [CASES, link_to_runbook("SuspensionsSpike")],
            ),
            PanelQuery("sum(goodstanding_entitlements_denied)", "denied"),
            look=PanelLook(width=4, height=4, warn=1),
        ),
        draw_number_panel(
            PanelText(
                "Payers who wait for access",
                "May use their subscription, and the vendor has not given it back.",
                "This is the worst that we do to a customer: look at the vendor's answers at once.",
                "none",
                [VENDOR, link_to_runbook("PayerWithoutAccess")],
            ),
            PanelQuery('sum(goodstanding_entitlements_unsettled{wanted="active"})', "waiting"),
            look=SMALL,
        ),
        draw_number_panel(
            PanelText(
                "Held by the guard",
                "Suspensions that wait for a person.",
                "Decide: let them go on, or find out what made so many.",
                "none",
                [MONEY, link_to_runbook("GuardHolds")],
            ),
            PanelQuery("sum(goodstanding_guard_held)", "held"),
            look=SMALL,
        ),
    ],
)
FLOW = PanelRow(
    "How it went",
    [
        draw_line_panel(
            PanelText(
                "Dunning cases by stage",
                "Accounts by the step that was taken last.",
                "A stage that only grows is where the way is blocked: look for deferred steps and failed notices.",
                "none",
                [MONEY, link_to_runbook("StepOverdue")],
            ),
            PanelQuery(compute_total("goodstanding_dunning_cases", "stage"), "{{stage}}"),
            look=PanelLook(stacked=True),
        ),
        draw_line_panel(
            PanelText(
                "Suspensions under way",
                "For non-payment, by state.",
                "`requested` that stays: the vendor refuses, or"
                " collections does not confirm it. `ending` that stays: a payer waits.",
                "none",
                [CASES, link_to_runbook("AccessDiffers")],
            ),
            PanelQuery(compute_total("goodstanding_suspensions", "state"), "{{state}}"),
            look=PanelLook(stacked=True, colours={"effective": "orange", "requested": "blue", "ending": "purple"}),
        ),
        draw_line_panel(
            PanelText(
                "How long the vendor has not followed",
                "Business time since a subscription is wanted otherwise than it is.",
                "Look at the vendor's answers; then at the intents that wait.",
                "h",
                [VENDOR, link_to_runbook("AccessDiffers")],
            ),
            PanelQuery(
                compute_business_age("goodstanding_entitlements_unsettled_oldest_timestamp_seconds", "service, wanted"),
                "wanted {{wanted}}",
            ),
            look=PanelLook(colours={"wanted active": "red", "wanted suspended": "orange"}),
        ),
    ],
)
BOARD = DashboardBoard("gs-lifecycle", "1 Lifecycle overview", __doc__ or "", [WRONG, BUDGET, WAY, FLOW])
