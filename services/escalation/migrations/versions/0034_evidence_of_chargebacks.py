"""Chargebacks say which evidence was given to the network, by whom and when."""

from shared.migrations import execute

revision = "0034"
down_revision = "0032"

TABLE = """
CREATE TABLE escalation.chargeback_evidence (
    id UUID NOT NULL,
    chargeback_id UUID NOT NULL,
    account_id UUID NOT NULL,
    attachment_ids UUID[] NOT NULL,
    submitted_by TEXT NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    is_late BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chargeback_id) REFERENCES escalation.chargebacks (chargeback_id),
    CHECK (submitted_at <= recorded_at)
);
CREATE INDEX chargeback_evidence_of_chargeback ON escalation.chargeback_evidence (chargeback_id, id);
REVOKE UPDATE, DELETE ON escalation.chargeback_evidence FROM escalation
"""
APPEND_ONLY = ("chargeback_evidence",)


def upgrade() -> None:
    """Create the table, empty."""
    execute(TABLE)
