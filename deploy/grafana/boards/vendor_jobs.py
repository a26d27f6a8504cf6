"""Calls to the outside (the vendor, mails, requests between services), and work that falls due with time."""

from deploy.grafana.board import VENDOR_CURRENCY, DashboardBoard, PanelRow
from deploy.grafana.boards.places import PLATFORM, SERVICE
from deploy.grafana.panels import (
    PanelLook,
    PanelText,
    draw_bar_panel,
    draw_line_panel,
    draw_number_panel,
    link_to_runbook,
)
from deploy.grafana.queries import (
    PanelQuery,
    compute_business_age,
    compute_money_total,
    compute_quantile,
    compute_rate,
    compute_total,
    count_now,
)

BAD = 'outcome=~"passing|unreachable|throttled"'
CALLS = "goodstanding_vendor_calls"

NOW = PanelRow(
    "Now",
    [
        draw_number_panel(
            PanelText(
                "Vendor calls that fail",
                "Part that was throttled, broke or was not reached.",
                "Above half nobody is suspended or given back. Look at the vendor's service health.",
                "percentunit",
                [SERVICE, link_to_runbook("VendorCallsFail")],
            ),
            PanelQuery(
                f"(sum(rate({CALLS}_total{{{BAD}}}[$__rate_interval])) or vector(0))"
                f" / (sum(rate({CALLS}_total[$__rate_interval])) > 0)",
                "fail",
            ),
            look=PanelLook(width=6, height=4, warn=0.05, bad=0.5, none="no calls"),
        ),
        draw_number_panel(
            PanelText(
                "Calls that are wanted",
                "To the vendor, the mail hop and between services, not done yet.",
                "See below which kind, and its attempts.",
                "none",
                [SERVICE, link_to_runbook("IntentOverdue")],
            ),
            PanelQuery(count_now("goodstanding_intents_unfinished"), "wanted"),
            look=PanelLook(width=6, height=4, warn=50, bad=500),
        ),
        draw_number_panel(
            PanelText(
                "Due and not judged",
                "Rows whose time has come.",
                "Zero between sweeps. If it stays a sweep breaks.",
                "none",
                [SERVICE, link_to_runbook("StepOverdue")],
            ),
            PanelQuery(count_now("goodstanding_due_work"), "due"),
            look=PanelLook(width=6, height=4, warn=100, bad=1000),
        ),
        draw_number_panel(
            PanelText(
                "Longest since a job went well",
                "As a part of twice its interval and a minute.",
                "At 1 the alert comes: see below which job.",
                "percentunit",
                [SERVICE, link_to_runbook("JobMissed")],
            ),
            PanelQuery(
                "max((time() - max by (service, name) (goodstanding_job_last_success_timestamp_seconds)) / (2 * max by"
                " (service, name) (goodstanding_job_interval_seconds) + 60))",
                "since",
            ),
            look=PanelLook(width=6, height=4, warn=0.5, bad=1),
        ),
    ],
)
VENDOR = PanelRow(
    "The vendor",
    [
        draw_line_panel(
            PanelText(
                "Calls by outcome",
                "In a second.",
                "`throttled`: we ask too often. `unreachable`: the way there. `refused`: a case is open for it.",
                "ops",
                [SERVICE, link_to_runbook("VendorCallsFail")],
            ),
            PanelQuery(compute_rate(f"{CALLS}_total", "outcome"), "{{outcome}}"),
            look=PanelLook(
                width=12,
                stacked=True,
                colours={
                    "done": "green",
                    "unreachable": "dark-red",
                    "passing": "red",
                    "throttled": "orange",
                    "refused": "purple",
                    "stale": "yellow",
                },
            ),
        ),
        draw_line_panel(
            PanelText(
                "How long calls take",
                "95 of 100 are faster.",
                "Slow and not failing: wait. Slow and failing: the vendor has an outage.",
                "s",
                [SERVICE, link_to_runbook("VendorCallsFail")],
            ),
            PanelQuery(
                compute_quantile(0.95, "goodstanding_vendor_call_duration_seconds", "operation"), "{{operation}}"
            ),
            look=PanelLook(width=12, warn=5),
        ),
        draw_line_panel(
            PanelText(
                "$currency owed to the vendor",
                "Accrued, billed, committed; in units of the currency.",
                "Committed grows while customers are suspended: see which terms go on.",
                "short",
                [SERVICE, link_to_runbook("AccessDiffers")],
            ),
            PanelQuery(
                compute_money_total("goodstanding_vendor_exposure_minor", "currency, part", 'currency="$currency"'),
                "{{part}}",
            ),
            look=PanelLook(width=24, height=7, repeat="currency"),
        ),
    ],
)
OUT = PanelRow(
    "Calls to the outside",
    [
        draw_bar_panel(
            PanelText(
                "Wanted and not done",
                "By kind.",
                "`send_notice`: the mail hop. Others: the service that they go to.",
                "none",
                [SERVICE, link_to_runbook("IntentOverdue")],
            ),
            PanelQuery(compute_total("goodstanding_intents_unfinished", "kind"), "{{kind}}"),
            look=PanelLook(none="All is done"),
        ),
        draw_line_panel(
            PanelText(
                "How long the first waits",
                "Business time since it was wanted.",
                "Read its last error in the service's log.",
                "h",
                [SERVICE, link_to_runbook("IntentOverdue"), link_to_runbook("NoticesWait")],
            ),
            PanelQuery(
                compute_business_age("goodstanding_intents_oldest_timestamp_seconds", "service, kind"), "{{kind}}"
            ),
        ),
        draw_line_panel(
            PanelText(
                "Attempts by outcome",
                "In a second.",
                "`later`: tried again after a pause. `broke`: a defect.",
                "ops",
                [SERVICE, link_to_runbook("IntentOverdue")],
            ),
            PanelQuery(compute_rate("goodstanding_intent_attempts_total", "outcome"), "{{outcome}}"),
            look=PanelLook(colours={"done": "green", "later": "orange", "broke": "red"}),
        ),
        draw_line_panel(
            PanelText(
                "How long attempts take",
                "95 of 100, with all their calls.",
                "One kind alone: what it calls is slow.",
                "s",
                [SERVICE, link_to_runbook("VendorCallsFail")],
            ),
            PanelQuery(compute_quantile(0.95, "goodstanding_intent_attempt_duration_seconds", "kind"), "{{kind}}"),
            look=PanelLook(width=24),
        ),
    ],
)
JOBS = PanelRow(
    "Jobs",
    [
        draw_line_panel(
            PanelText(
                "Since a job last went well",
                "The latest job of each service, as a part of twice its interval and a minute.",
                "At 1 the alert comes and names the job: it breaks, or its process is down.",
                "percentunit",
                [SERVICE, link_to_runbook("JobMissed")],
            ),
            PanelQuery(
                "max by (service) ((time() - max by (service, name) (goodstanding_job_last_success_timestamp_seconds))"
                " / (2 * max by (service, name) (goodstanding_job_interval_seconds) + 60))",
                "{{service}}",
            ),
            look=PanelLook(width=12, height=8, bad=1),
        ),
        draw_line_panel(
            PanelText(
                "What they judge",
                "Accounts or other subjects, in a second.",
                "Nothing while something is due: see its log.",
                "ops",
                [SERVICE, link_to_runbook("StepOverdue")],
            ),
            PanelQuery(
                "topk(6, " + compute_rate("goodstanding_job_items_total", "service, name", 'name!="figures"') + " > 0)",
                "{{service}} {{name}}",
            ),
            look=PanelLook(width=12, height=8),
        ),
        draw_line_panel(
            PanelText(
                "How long a run takes",
                "95 of 100, of those that found something.",
                "Longer than the interval of the job: it falls behind.",
                "s",
                [PLATFORM, link_to_runbook("JobMissed")],
            ),
            PanelQuery(
                "topk(6, " + compute_quantile(0.95, "goodstanding_job_duration_seconds", "service, name") + ")",
                "{{service}} {{name}}",
            ),
            look=PanelLook(width=12, height=8),
        ),
        draw_line_panel(
            PanelText(
                "Due and not judged",
                "Rows by what they are.",
                "Grows: more falls due than is judged; start another process of the role jobs.",
                "none",
                [PLATFORM, link_to_runbook("StepOverdue")],
            ),
            PanelQuery(compute_total("goodstanding_due_work", "service, name"), "{{service}} {{name}}"),
            look=PanelLook(width=12, height=8),
        ),
    ],
)
BOARD = DashboardBoard(
    "gs-vendor-jobs", "6 Vendor and jobs", __doc__ or "", [NOW, VENDOR, OUT, JOBS], [VENDOR_CURRENCY]
)
