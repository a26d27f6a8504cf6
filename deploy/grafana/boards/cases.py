"""Who may not use what they bought, who disputes what, whose problem waits for whom."""

from deploy.grafana.board import CURRENCY, DashboardBoard, PanelRow
from deploy.grafana.boards.places import SERVICE, VENDOR
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
from deploy.grafana.queries import (
    PanelQuery,
    compute_business_age,
    compute_money_total,
    compute_total,
    count_now,
    rate_per_hour,
)

NOW = PanelRow(
    "Now",
    [
        draw_number_panel(
            PanelText(
                "Subscriptions",
                "That somebody may be entitled to use.",
                "Falls without a reason: what invoicing says did not arrive.",
                "none",
                [SERVICE, link_to_runbook("ConsumerLagGrows")],
            ),
            PanelQuery("sum(goodstanding_entitlements)", "all"),
        ),
        draw_number_panel(
            PanelText(
                "Without access",
                "Of these, those that may not be used now.",
                "More than usual: see the reasons below.",
                "none",
                [VENDOR, link_to_runbook("SuspensionsSpike")],
            ),
            PanelQuery("sum(goodstanding_entitlements_denied)", "denied"),
            look=PanelLook(width=4, height=4, warn=1),
        ),
        draw_number_panel(
            PanelText(
                "Payers who wait",
                "May use their subscription; the vendor has not given it back.",
                "At once: look at the vendor's answers.",
                "none",
                [VENDOR, link_to_runbook("PayerWithoutAccess")],
            ),
            PanelQuery('sum(goodstanding_entitlements_unsettled{wanted="active"})', "wait"),
            look=PanelLook(width=4, height=4, bad=1),
        ),
        draw_number_panel(
            PanelText(
                "Refused by the vendor",
                "Last change was refused for good.",
                "A case is open for each: follow it.",
                "none",
                [VENDOR, link_to_runbook("AccessDiffers")],
            ),
            PanelQuery("sum(goodstanding_entitlements_refused_by_vendor)", "refused"),
            look=PanelLook(width=4, height=4, warn=1),
        ),
        draw_number_panel(
            PanelText(
                "Open cases",
                "Not closed: a resolved one waits until the customer was told.",
                "Grows: support needs hands; see which kind.",
                "none",
                [SERVICE, link_to_runbook("ResponseDeadlineMissed")],
            ),
            PanelQuery(count_now("goodstanding_cases", "escalation"), "open"),
        ),
        draw_number_panel(
            PanelText(
                "Answers that are late",
                "Cases without a first answer past its deadline.",
                "Answer the most severe first.",
                "none",
                [SERVICE, link_to_runbook("ResponseDeadlineMissed")],
            ),
            PanelQuery("sum(goodstanding_cases_answer_late)", "late"),
            look=PanelLook(width=4, height=4, warn=1, bad=5),
        ),
    ],
)
ACCESS = PanelRow(
    "Access",
    [
        draw_line_panel(
            PanelText(
                "Without access",
                "Of all subscriptions, over time.",
                "A step upwards: many suspensions at once.",
                "none",
                [VENDOR, link_to_runbook("SuspensionsSpike")],
            ),
            PanelQuery("sum(goodstanding_entitlements_denied)", "denied"),
            look=PanelLook(colour="orange"),
        ),
        draw_line_panel(
            PanelText(
                "Wanted otherwise than it is",
                "Subscriptions that the vendor has not followed.",
                "Grows: the vendor is away or refuses.",
                "none",
                [VENDOR, link_to_runbook("AccessDiffers")],
            ),
            PanelQuery(compute_total("goodstanding_entitlements_unsettled", "wanted"), "wanted {{wanted}}"),
            look=PanelLook(colours={"wanted active": "red", "wanted suspended": "orange"}),
        ),
        draw_bar_panel(
            PanelText(
                "Holds by reason and days",
                "One with two reasons counts for each.",
                "`90+`: a person should decide whether it is terminated; we go on owing for it.",
                "none",
                [VENDOR, link_to_runbook("AccessDiffers")],
            ),
            PanelQuery(
                compute_total("goodstanding_suspended_subscriptions", "reason, age"), "{{reason}}, {{age}} days"
            ),
            look=PanelLook(none="No holds", warn=1),
        ),
        draw_line_panel(
            PanelText(
                "How long the vendor has not followed",
                "Business time.",
                "`active` is a payer without access: at once.",
                "h",
                [VENDOR, link_to_runbook("PayerWithoutAccess")],
            ),
            PanelQuery(
                compute_business_age("goodstanding_entitlements_unsettled_oldest_timestamp_seconds", "service, wanted"),
                "wanted {{wanted}}",
            ),
            look=PanelLook(width=24, height=6, colours={"wanted active": "red", "wanted suspended": "orange"}),
        ),
    ],
)
DISPUTES = PanelRow(
    "Disputes",
    [
        draw_line_panel(
            PanelText(
                "Disputes by state",
                "That are not decided.",
                "`requested` that stays: invoicing is not reached.",
                "none",
                [SERVICE, link_to_runbook("IntentOverdue")],
            ),
            PanelQuery(compute_total("goodstanding_disputes", "state"), "{{state}}"),
            look=PanelLook(width=12, height=8),
        ),
        draw_line_panel(
            PanelText(
                "Disputes that end",
                "In an hour, by how they ended.",
                "`refused`: the lines could not be reserved; the customer has to be told. Many `upheld`: our invoices.",
                PER_TIME["h"],
                [SERVICE, link_to_runbook("IntentOverdue")],
            ),
            PanelQuery(rate_per_hour("goodstanding_disputes_finished_total", "state"), "{{state}}"),
            look=PanelLook(
                width=12,
                height=8,
                colours={"refused": "red", "upheld": "orange", "rejected": "blue", "withdrawn": "purple"},
            ),
        ),
        draw_line_panel(
            PanelText(
                "$currency disputed",
                "What is disputed now, in units of the currency.",
                "Grows in one currency: look for one invoice run that was wrong.",
                "short",
                [SERVICE, link_to_runbook("BalancesDiffer")],
            ),
            PanelQuery(
                compute_money_total("goodstanding_disputes_opened_minor", "currency", 'currency="$currency"'),
                "disputed",
            ),
            look=PanelLook(width=24, height=7, repeat="currency", colour="orange"),
        ),
    ],
)
CASES = PanelRow(
    "Cases",
    [
        draw_line_panel(
            PanelText(
                "Open cases by kind",
                "Not closed.",
                "Technical ones: is the vendor's service down?",
                "none",
                [SERVICE, link_to_runbook("ResponseDeadlineMissed")],
            ),
            PanelQuery(compute_total("goodstanding_cases", "kind"), "{{kind}}"),
            look=PanelLook(stacked=True, height=8),
        ),
        draw_bar_panel(
            PanelText(
                "Late answers by severity",
                "First answers past their deadline, by the targets and the hours of the legal entity.",
                "A before B before C.",
                "none",
                [SERVICE, link_to_runbook("ResponseDeadlineMissed")],
            ),
            PanelQuery(compute_total("goodstanding_cases_answer_late", "severity"), "severity {{severity}}"),
            look=PanelLook(height=8, warn=1, bad=5, none="no figures"),
        ),
        draw_line_panel(
            PanelText(
                "Customers not told the outcome",
                "Resolved cases whose customer was not told within two business days.",
                "Tell them, and record it.",
                "none",
                [SERVICE, link_to_runbook("CustomerNotInformed")],
            ),
            PanelQuery("sum(goodstanding_cases_customer_not_informed)", "cases"),
            look=PanelLook(height=8, colour="red"),
        ),
        draw_line_panel(
            PanelText(
                "Mails and answers that wait",
                "Mails of which nobody knows the case, and cases with an answer that nobody has read.",
                "Read them; open or join a case.",
                "none",
                [SERVICE, link_to_runbook("MailsWaitForCase")],
            ),
            PanelQuery("sum(goodstanding_inbound_mails_waiting)", "mails without a case"),
            PanelQuery("sum(goodstanding_cases_with_unread_answers)", "cases with unread answers"),
            look=PanelLook(height=8),
        ),
        draw_line_panel(
            PanelText(
                "Credits not passed on",
                "Credits of the vendor's that no customer has ten days after they came.",
                "Match each with what was asked for and credit the customer, or say why not.",
                "none",
                [SERVICE, link_to_runbook("VendorCreditsNotPassedOn")],
            ),
            PanelQuery("sum(goodstanding_vendor_credits_not_passed_on)", "credits"),
            look=PanelLook(height=8, colour="red"),
        ),
        draw_line_panel(
            PanelText(
                "Tickets at the vendor",
                "Not closed, by status; of `attention_needed` the vendor waits for us.",
                "`prepared`: a person opens it in the vendor's portal.",
                "none",
                [SERVICE, link_to_runbook("ResponseDeadlineMissed")],
            ),
            PanelQuery(compute_total("goodstanding_vendor_tickets", "status"), "{{status}}"),
            look=PanelLook(height=8, stacked=True),
        ),
        draw_table_panel(
            PanelText(
                "Open cases",
                "By kind, severity and state.",
                "`resolved`: somebody has to tell the customer.",
                "none",
                [SERVICE, link_to_runbook("ResponseDeadlineMissed")],
            ),
            PanelQuery(compute_total("goodstanding_cases", "kind, severity, state"), ""),
            look=PanelLook(height=8, none="No open case"),
        ),
    ],
)
BOARD = DashboardBoard(
    "gs-cases", "5 Subscriptions, disputes and cases", __doc__ or "", [NOW, ACCESS, DISPUTES, CASES], [CURRENCY]
)
