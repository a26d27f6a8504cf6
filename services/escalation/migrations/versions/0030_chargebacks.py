"""Chargebacks have a case, and a last day on which the card network takes an answer."""

from shared.failed_work_tables import create_pending_work
from shared.migrations import execute

revision = "0030"
down_revision = "0029"

TABLE = """
CREATE TABLE escalation.chargebacks (
    chargeback_id UUID NOT NULL,
    case_id UUID NOT NULL,
    account_id UUID NOT NULL,
    answer_by DATE NOT NULL,
    state TEXT NOT NULL,
    warned_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    wake_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (chargeback_id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    CHECK (state IN ('open', 'won', 'lost')),
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK (wake_at IS NULL OR state = 'open')
);
CREATE INDEX chargebacks_of_case ON escalation.chargebacks (case_id);
CREATE INDEX chargebacks_due ON escalation.chargebacks (wake_at) WHERE wake_at IS NOT NULL;
ALTER TABLE escalation.case_links DROP CONSTRAINT case_links_kind_check,
    ADD CHECK (kind IN ('account', 'invoice', 'subscription', 'suspension', 'vendor_difference', 'case', 'chargeback'));
"""
DUE = {
    "clocks": "SELECT account_id::text AS subject, concat(case_id, ' ', which) AS detail, wake_at AS due_at"
    " FROM escalation.case_clocks WHERE wake_at IS NOT NULL",
    "moved_calendars": "SELECT account_id::text AS subject, 'clocks' AS detail, due_at FROM escalation.moved_calendars",
    "paused_disputes": "SELECT account_id::text AS subject, id::text AS detail, paused_until AS due_at"
    " FROM escalation.disputes WHERE paused_until IS NOT NULL AND ended_at IS NULL",
    "service_credits": "SELECT account_id::text AS subject, id::text AS detail, wake_at AS due_at"
    " FROM escalation.service_credits WHERE wake_at IS NOT NULL",
    "vendor_tickets": "SELECT coalesce(account_id, case_id)::text AS subject, id::text AS detail,"
    " next_reading_at AS due_at FROM escalation.vendor_tickets WHERE next_reading_at IS NOT NULL",
    "service_health": "SELECT id::text AS subject, legal_entity AS detail, next_reading_at AS due_at"
    " FROM escalation.health_watches",
    "incident_cases": "SELECT account_id::text AS subject, 'incidents' AS detail, due_at"
    " FROM escalation.incident_accounts",
    "support_contracts": "SELECT resource_id::text AS subject, 'valid_to' AS detail, warn_at AS due_at"
    " FROM escalation.contract_warnings WHERE warn_at IS NOT NULL",
    "vendor_disputes": "SELECT vendor_invoice_id::text AS subject, id::text AS detail, warn_at AS due_at"
    " FROM escalation.vendor_disputes WHERE warn_at IS NOT NULL",
    "chargebacks": "SELECT account_id::text AS subject, chargeback_id::text AS detail, wake_at AS due_at"
    " FROM escalation.chargebacks WHERE wake_at IS NOT NULL",
}


def upgrade() -> None:
    """Create the table, empty, let cases be linked to chargebacks, and create the view of pending work anew."""
    execute(TABLE)
    create_pending_work("escalation", DUE)
