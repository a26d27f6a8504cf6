"""Evidence that was given to card networks, and requests to the vendor that go to a distributor by mail."""

from shared.persistence.migrations import execute_script

revision = "0035"
down_revision = "0034"

TABLES = """
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
REVOKE UPDATE, DELETE ON escalation.chargeback_evidence FROM escalation;
CREATE TABLE escalation.vendor_ticket_mails (
    id UUID NOT NULL,
    ticket_id UUID NOT NULL,
    entry_id UUID,
    recipient TEXT NOT NULL,
    reply_token TEXT NOT NULL,
    secret TEXT NOT NULL,
    state TEXT NOT NULL,
    code TEXT,
    queued_by TEXT NOT NULL,
    queued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(ticket_id) REFERENCES escalation.vendor_tickets (id),
    FOREIGN KEY(entry_id) REFERENCES escalation.entries (id),
    UNIQUE (reply_token),
    UNIQUE (secret),
    CHECK (state IN ('queued', 'delivered', 'refused', 'bounced')),
    CHECK ((state IN ('refused', 'bounced')) = (code IS NOT NULL))
);
CREATE INDEX vendor_ticket_mails_of_ticket ON escalation.vendor_ticket_mails (ticket_id, id)
"""
APPEND_ONLY = ("chargeback_evidence",)


def upgrade() -> None:
    """Create the tables, empty."""
    execute_script(TABLES)
