"""Service credits: what the vendor is asked to give back, until when, and what became of it."""

from shared.persistence.failed_work_tables import create_pending_work
from shared.persistence.migrations import execute_script

revision = "0015"
down_revision = "0014"

TABLES = """
CREATE TABLE escalation.service_credit_types (
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    counts_from TEXT NOT NULL,
    days INTEGER,
    months INTEGER,
    evidence TEXT[] NOT NULL,
    is_active BOOLEAN NOT NULL,
    PRIMARY KEY (code),
    CHECK (days BETWEEN 1 AND 3660),
    CHECK (months BETWEEN 1 AND 120),
    CHECK (num_nonnulls(days, months) <= 1)
);
INSERT INTO escalation.service_credit_types (code, title, counts_from, days, months, evidence, is_active) VALUES
    ('accidental_purchase', 'Bought by mistake', 'day of purchase', 90, NULL, '{order,reason}', true),
    ('accidental_purchase_education', 'Bought by mistake, education', 'day of purchase', 30, NULL, '{order,reason}',
        true),
    ('accidental_purchase_power_bi', 'Bought by mistake, Power BI Premium', 'day of purchase', 7, NULL,
        '{order,reason}', true),
    ('duplicate_order', 'Ordered twice', 'day of the newer purchase', 120, NULL, '{order,other_order}', true),
    ('service_level', 'Service level missed', 'day of the incident', NULL, 1,
        '{tenant_id,incident_id,proof_of_impact,written_claim}', true),
    ('service_level_azure', 'Service level missed, Azure', 'day of the incident', NULL, 2,
        '{tenant_id,incident_id,proof_of_impact,written_claim}', true),
    ('vendor_error', 'Error or wrong information of the vendor', 'day of the error', NULL, NULL, '{ticket}', true),
    ('compromised_tenant', 'Use by somebody who broke in', 'first day of that use', 60, NULL,
        '{tenant_id,fraud_event,measures}', true);
CREATE TABLE escalation.service_credits (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    account_id UUID NOT NULL,
    type_code TEXT NOT NULL,
    subscription_id UUID,
    counts_since DATE NOT NULL,
    last_day DATE,
    currency TEXT NOT NULL,
    expected_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    evidence JSONB NOT NULL,
    opened_by TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    vendor_reference TEXT,
    requested_at TIMESTAMP WITH TIME ZONE,
    granted_minor BIGINT,
    granted_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_reason TEXT,
    credit_note_id UUID,
    credit_note_number TEXT,
    credited_minor BIGINT,
    warned_at TIMESTAMP WITH TIME ZONE,
    wake_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    FOREIGN KEY(type_code) REFERENCES escalation.service_credit_types (code),
    CHECK (state IN ('draft', 'requested', 'granted', 'refused', 'lapsed', 'withdrawn')),
    CHECK (num_nulls(granted_minor, granted_at) IN (0, 2)),
    CHECK ((state = 'granted') = (granted_at IS NOT NULL)),
    CHECK (num_nulls(credit_note_id, credit_note_number, credited_minor) IN (0, 3))
);
CREATE INDEX service_credits_of_account ON escalation.service_credits (account_id, id);
CREATE INDEX service_credits_of_case ON escalation.service_credits (case_id);
CREATE INDEX service_credits_by_last_day ON escalation.service_credits (last_day, id) WHERE state = 'draft';
CREATE INDEX service_credits_due ON escalation.service_credits (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX service_credits_not_passed_on ON escalation.service_credits (granted_at)
    WHERE state = 'granted' AND credit_note_id IS NULL;
CREATE TABLE escalation.vendor_credits (
    difference_id UUID NOT NULL,
    vendor_invoice_id UUID NOT NULL,
    reconciliation_id UUID NOT NULL,
    vendor_customer_id TEXT,
    vendor_subscription_id TEXT,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    service_credit_id UUID,
    PRIMARY KEY (difference_id),
    FOREIGN KEY(service_credit_id) REFERENCES escalation.service_credits (id),
    CHECK (amount_minor > 0)
);
CREATE INDEX vendor_credits_of_invoice ON escalation.vendor_credits (vendor_invoice_id);
CREATE INDEX vendor_credits_unmatched ON escalation.vendor_credits (difference_id) WHERE service_credit_id IS NULL;
CREATE INDEX vendor_credits_of_request ON escalation.vendor_credits (service_credit_id);
"""
DUE = {
    "clocks": "SELECT account_id::text AS subject, concat(case_id, ' ', which) AS detail, wake_at AS due_at"
    " FROM escalation.case_clocks WHERE wake_at IS NOT NULL",
    "moved_calendars": "SELECT account_id::text AS subject, 'clocks' AS detail, due_at FROM escalation.moved_calendars",
    "paused_disputes": "SELECT account_id::text AS subject, id::text AS detail, paused_until AS due_at"
    " FROM escalation.disputes WHERE paused_until IS NOT NULL AND ended_at IS NULL",
    "service_credits": "SELECT account_id::text AS subject, id::text AS detail, wake_at AS due_at"
    " FROM escalation.service_credits WHERE wake_at IS NOT NULL",
}


def upgrade() -> None:
    """Create the tables with the vendor's types, and the view of pending work anew."""
    execute_script(TABLES)
    create_pending_work("escalation", DUE)
