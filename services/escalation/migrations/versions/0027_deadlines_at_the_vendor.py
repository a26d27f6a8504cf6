"""Support contracts that end and vendor disputes that the vendor does not answer are warned of."""

from shared.failed_work_tables import create_pending_work
from shared.migrations import execute

revision = "0027"
down_revision = "0026"

TABLES = """
CREATE TABLE escalation.contract_warnings (
    resource_id UUID NOT NULL,
    valid_to DATE NOT NULL,
    warn_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (resource_id),
    FOREIGN KEY (resource_id) REFERENCES escalation.support_resources (id)
);
CREATE INDEX contract_warnings_due ON escalation.contract_warnings (warn_at) WHERE warn_at IS NOT NULL;
INSERT INTO escalation.streams (subject, sequence)
SELECT id::text, 0 FROM escalation.support_resources WHERE kind = 'premier_contract' AND valid_to IS NOT NULL
ON CONFLICT DO NOTHING;
INSERT INTO escalation.contract_warnings (resource_id, valid_to, warn_at)
SELECT id, valid_to, (valid_to - 30)::timestamp AT TIME ZONE 'UTC'
FROM escalation.support_resources WHERE kind = 'premier_contract' AND valid_to IS NOT NULL;
ALTER TABLE escalation.vendor_disputes
    ADD COLUMN ticket_id UUID REFERENCES escalation.vendor_tickets (id),
    ADD COLUMN warn_at TIMESTAMP WITH TIME ZONE,
    ADD CHECK (warn_at IS NULL OR state = 'open');
UPDATE escalation.vendor_disputes SET warn_at = (deadline - 5)::timestamp AT TIME ZONE 'UTC'
WHERE state = 'open' AND deadline IS NOT NULL;
CREATE INDEX vendor_disputes_due ON escalation.vendor_disputes (warn_at) WHERE warn_at IS NOT NULL;
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
}


def upgrade() -> None:
    """Create the warnings of what is there, and the view of pending work anew."""
    execute(TABLES)
    create_pending_work("escalation", DUE)
