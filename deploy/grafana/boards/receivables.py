"""For finance: what customers owe, how well it comes in, what we owe for it, and what collections does about it."""

from deploy.grafana.board import CURRENCY, DashboardBoard, PanelRow
from deploy.grafana.boards.places import CASES, EVENTS, VENDOR
from deploy.grafana.panels import (
    PER_TIME,
    PanelLink,
    PanelLook,
    PanelText,
    draw_bar_panel,
    draw_line_panel,
    draw_number_panel,
    link_to_runbook,
)
from deploy.grafana.queries import PanelQuery, compute_money_total, compute_total, give_zero_if_read, rate_per_hour

POLICY = PanelLink("The dunning policy's ladder", "/d/gs-lifecycle?${__url_time_range}")
OF = 'currency=~"$currency"'
THREE = PanelLook(width=8, height=8)
BUCKETS = {"current": "green", "1-30": "yellow", "31-60": "orange", "61-90": "red", "90+": "dark-red"}
SMALL = PanelLook(width=4, height=4)

AGREED = PanelRow(
    "Do the books agree?",
    [
        draw_number_panel(
            PanelText(
                "Ledgers out of balance",
                "Legal entities and currencies whose debits and credits differ.",
                "Must be 0. The database refuses such entries: somebody went past it.",
                "none",
                [EVENTS, link_to_runbook("LedgerOutOfBalance")],
            ),
            PanelQuery(
                f"count(goodstanding_ledger_imbalance_minor != 0) or {give_zero_if_read('invoicing')}", "ledgers"
            ),
            look=PanelLook(width=4, height=4, bad=1),
        ),
        draw_number_panel(
            PanelText(
                "Currencies that differ",
                "In which invoicing and collections do not agree on what is open.",
                "A moment is usual. If it stays collections acts on what is not so: look at its events.",
                "none",
                [EVENTS, link_to_runbook("BalancesDiffer")],
            ),
            PanelQuery(
                "count(sum by (currency) (goodstanding_receivables_minor) != sum by (currency)"
                f" (goodstanding_collections_open_minor)) or {give_zero_if_read('collections')}",
                "differ",
            ),
            look=PanelLook(width=4, height=4, warn=1),
        ),
        draw_number_panel(
            PanelText(
                "Bank entries that wait",
                "Entries of statements that a person has to match.",
                "Match them: until then their customers are reminded of what they have paid.",
                "none",
                [CASES, link_to_runbook("NoticesWait")],
            ),
            PanelQuery("sum(goodstanding_bank_entries_open)", "open"),
            look=PanelLook(width=4, height=4, warn=20, bad=200),
        ),
        draw_number_panel(
            PanelText(
                "Accounts not billed",
                "Set aside by a bill run.",
                "Read why in the run's answer, mend the account, run again.",
                "none",
                [VENDOR, link_to_runbook("JobMissed")],
            ),
            PanelQuery("sum(goodstanding_bill_run_accounts_set_aside)", "set aside"),
            look=PanelLook(width=4, height=4, warn=1),
        ),
        draw_number_panel(
            PanelText(
                "Suspensions in an hour",
                "Requested in the last hour of business time.",
                "Many more than usual: stop them with the guard, then find the cause.",
                "none",
                [CASES, link_to_runbook("SuspensionsSpike")],
            ),
            PanelQuery("sum(goodstanding_suspensions_requested_last_hour)", "requested"),
            look=PanelLook(width=4, height=4, warn=10, bad=50),
        ),
        draw_number_panel(
            PanelText(
                "Held by the guard",
                "Steps that wait for a person to decide.",
                "Decide: go on, or find what made so many.",
                "none",
                [CASES, link_to_runbook("GuardHolds")],
            ),
            PanelQuery("sum(goodstanding_guard_held)", "held"),
            look=PanelLook(width=4, height=4, bad=1),
        ),
    ],
)
OWED = PanelRow(
    "What customers owe",
    [
        draw_line_panel(
            PanelText(
                "$currency owed by age",
                "By days since the due date, disputed or not.",
                "An older band that grows: look at deferred steps and failed notices below.",
                "short",
                [CASES, link_to_runbook("StepOverdue")],
            ),
            PanelQuery(
                compute_money_total("goodstanding_receivables_minor", "currency, bucket", 'currency="$currency"'),
                "{{bucket}}",
            ),
            look=PanelLook(width=24, height=8, stacked=True, repeat="currency", colours=BUCKETS),
        ),
        draw_line_panel(
            PanelText(
                "$currency disputed or unapplied",
                "Disputed by customers; received and not allocated.",
                "Disputed grows: see the disputes. Unapplied grows: match or refund it.",
                "short",
                [CASES, link_to_runbook("BalancesDiffer")],
            ),
            PanelQuery(
                compute_money_total(
                    "goodstanding_receivables_minor", "currency", 'currency="$currency",disputed="yes"'
                ),
                "disputed",
            ),
            PanelQuery(
                compute_money_total("goodstanding_unapplied_cash_minor", "currency", 'currency="$currency"'),
                "unapplied",
            ),
            look=PanelLook(width=24, height=7, repeat="currency", colours={"disputed": "orange", "unapplied": "blue"}),
        ),
    ],
)
COMES = PanelRow(
    "How it comes in, and what we owe",
    [
        draw_line_panel(
            PanelText(
                "Days sales outstanding",
                "Receivables by what was invoiced in 90 days, computed once a day.",
                "Grows over weeks: the ladder does not work, or invoices go out late.",
                "suffix: days",
                [CASES, link_to_runbook("StepOverdue")],
            ),
            PanelQuery(f"max by (currency) (goodstanding_dso_days{{{OF}}})", "{{currency}}"),
            look=THREE,
        ),
        draw_line_panel(
            PanelText(
                "Collection effectiveness",
                "Collected of what could be collected within 30 days.",
                "Below the line: ask which band of age grew.",
                "percentunit",
                [CASES, link_to_runbook("StepOverdue")],
            ),
            PanelQuery(f"max by (currency) (goodstanding_collection_effectiveness_ratio{{{OF}}})", "{{currency}}"),
            look=PanelLook(width=8, height=8, most=1),
        ),
        draw_line_panel(
            PanelText(
                "Overdue part",
                "Of what is owed in a currency.",
                "Grows for one currency alone: its bank statements may be missing.",
                "percentunit",
                [CASES, link_to_runbook("StepOverdue")],
            ),
            PanelQuery(
                f'sum by (currency) (goodstanding_receivables_minor{{{OF},bucket!="current"}})'
                f" / sum by (currency) (goodstanding_receivables_minor{{{OF}}})",
                "{{currency}}",
            ),
            look=PanelLook(width=8, height=8, most=1),
        ),
    ],
)
STEPS = PanelRow(
    "What collections does",
    [
        draw_line_panel(
            PanelText(
                "Dunning cases by stage",
                "Accounts by the step that was taken last.",
                "A stage that only grows is where the way is blocked.",
                "none",
                [CASES, link_to_runbook("StepOverdue")],
            ),
            PanelQuery(compute_total("goodstanding_dunning_cases", "stage"), "{{stage}}"),
            look=PanelLook(stacked=True),
        ),
        draw_bar_panel(
            PanelText(
                "Steps that wait",
                "Due, and held by a gate of the policy or by the guard.",
                "`gate`: a notice is missing or something is in flight. `guard`: decide.",
                "none",
                [CASES, link_to_runbook("GuardHolds")],
            ),
            PanelQuery(compute_total("goodstanding_steps_deferred", "step, held_by"), "{{step}} ({{held_by}})"),
            look=PanelLook(none="None waits"),
        ),
        draw_bar_panel(
            PanelText(
                "Notices that are not sent",
                "By state, now.",
                "`failed`: mend the address and send again. `pending`: the mail hop.",
                "none",
                [VENDOR, link_to_runbook("NoticesFail")],
            ),
            PanelQuery(compute_total("goodstanding_notices", "state"), "{{state}}"),
            look=PanelLook(bad=1),
        ),
        draw_line_panel(
            PanelText(
                "Notices by kind",
                "Wanted in an hour.",
                "One kind is at 0 while cases open: look at the sweep.",
                PER_TIME["h"],
                [VENDOR, link_to_runbook("JobMissed")],
            ),
            PanelQuery(rate_per_hour("goodstanding_notices_created_total", "template"), "{{template}}"),
            look=PanelLook(width=12),
        ),
        draw_line_panel(
            PanelText(
                "Suspensions that begin and end",
                "For non-payment, in an hour: requested, withdrawn before access ended, ended.",
                "More begin than end for long: look at the guard, then at what is owed.",
                PER_TIME["h"],
                [CASES, link_to_runbook("SuspensionsSpike")],
            ),
            PanelQuery("3600 * sum(rate(goodstanding_suspensions_requested_total[$__rate_interval]))", "requested"),
            PanelQuery(rate_per_hour("goodstanding_suspensions_finished_total", "state"), "{{state}}"),
            look=PanelLook(width=12, colours={"requested": "orange", "withdrawn": "purple", "ended": "blue"}),
        ),
    ],
)
BOARD = DashboardBoard(
    "gs-receivables", "4 Receivables and collections", __doc__ or "", [AGREED, OWED, COMES, STEPS], [CURRENCY]
)
