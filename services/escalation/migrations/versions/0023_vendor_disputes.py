"""Vendor disputes: what we contest of vendor invoices."""

from shared.persistence.migrations import execute_script

revision = "0023"
down_revision = "0022"

TABLE = """
CREATE TABLE escalation.vendor_disputes (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    dispute_id UUID,
    vendor_invoice_id UUID NOT NULL,
    vendor_invoice_number TEXT NOT NULL,
    legal_entity TEXT NOT NULL,
    currency TEXT NOT NULL,
    items JSONB NOT NULL,
    contested_minor BIGINT NOT NULL,
    reason_code TEXT NOT NULL,
    reason TEXT NOT NULL,
    vendor_reference TEXT,
    deadline DATE,
    state TEXT NOT NULL,
    opened_by TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    accepted_minor BIGINT,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by TEXT,
    ended_reason TEXT,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    FOREIGN KEY(dispute_id) REFERENCES escalation.disputes (id),
    CHECK (state IN ('open', 'accepted', 'partly_accepted', 'rejected', 'withdrawn')),
    CHECK (contested_minor > 0),
    CHECK (accepted_minor BETWEEN 0 AND contested_minor),
    CHECK ((state = 'open') = (accepted_minor IS NULL)),
    CHECK (num_nulls(accepted_minor, ended_at, ended_by, ended_reason) IN (0, 4))
);
CREATE INDEX vendor_disputes_of_invoice ON escalation.vendor_disputes (vendor_invoice_id, id);
CREATE INDEX vendor_disputes_by_state ON escalation.vendor_disputes (state, id);
CREATE INDEX vendor_disputes_of_case ON escalation.vendor_disputes (case_id);
CREATE INDEX vendor_disputes_of_dispute ON escalation.vendor_disputes (dispute_id, id) WHERE dispute_id IS NOT NULL;
"""


def upgrade() -> None:
    """Create the table, empty: nothing is contested."""
    execute_script(TABLE)
