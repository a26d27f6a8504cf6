"""Customers are written to from cases, and what they answer comes back into the thread."""

from shared.persistence.migrations import grant_monitor_views, execute_script

revision = "0018"
down_revision = "0017"

TABLES = """
ALTER TABLE escalation.entries
    DROP CONSTRAINT entries_kind_check, DROP CONSTRAINT entries_check,
    ADD CHECK (kind IN ('note', 'call', 'message', 'vendor_note', 'state', 'change', 'resource', 'mail_out', 'mail_in',
        'attachment')),
    ADD CHECK (audience IN ('customer', 'vendor', 'internal')),
    ADD CHECK (kind = 'attachment' OR audience = CASE WHEN kind IN ('call', 'message', 'mail_out', 'mail_in')
        THEN 'customer' WHEN kind = 'vendor_note' THEN 'vendor' ELSE 'internal' END);
CREATE TABLE escalation.case_addresses (
    case_id UUID NOT NULL,
    token TEXT NOT NULL,
    PRIMARY KEY (case_id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    UNIQUE (token)
);
CREATE TABLE escalation.case_mails (
    entry_id UUID NOT NULL,
    case_id UUID NOT NULL,
    account_id UUID NOT NULL,
    contact_person_id UUID,
    secret TEXT NOT NULL,
    in_reply_to TEXT,
    about_outcome BOOLEAN NOT NULL,
    outcome_sequence BIGINT,
    sequence BIGINT,
    state TEXT NOT NULL,
    code TEXT,
    queued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (entry_id),
    FOREIGN KEY(entry_id) REFERENCES escalation.entries (id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    UNIQUE (secret),
    CHECK (state IN ('queued', 'delivered', 'refused', 'bounced')),
    CHECK (state <> 'delivered' OR sequence IS NOT NULL),
    CHECK ((state IN ('refused', 'bounced')) = (code IS NOT NULL))
);
CREATE INDEX case_mails_of_case ON escalation.case_mails (case_id);
CREATE TABLE escalation.inbound_mails (
    id UUID NOT NULL,
    mail_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    is_first BOOLEAN NOT NULL,
    message_id TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    case_id UUID,
    entry_id UUID,
    sender TEXT,
    subject TEXT NOT NULL,
    content TEXT NOT NULL,
    details JSONB NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    settled_by TEXT,
    read_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    FOREIGN KEY(entry_id) REFERENCES escalation.entries (id),
    CHECK (state IN ('triage', 'joined', 'automatic', 'bounce', 'discarded')),
    CHECK ((state = 'joined') = (case_id IS NOT NULL)),
    CHECK (num_nulls(case_id, entry_id) IN (0, 2))
);
CREATE UNIQUE INDEX inbound_mails_first ON escalation.inbound_mails (mail_key) WHERE is_first;
CREATE UNIQUE INDEX inbound_mails_of_key ON escalation.inbound_mails (mail_key, digest);
CREATE INDEX inbound_mails_by_state ON escalation.inbound_mails (state, id);
CREATE INDEX inbound_mails_of_case ON escalation.inbound_mails (case_id, entry_id);
ALTER TABLE escalation.cases ADD COLUMN unread_answers INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE escalation.cases ALTER COLUMN unread_answers DROP DEFAULT;
CREATE INDEX cases_unread ON escalation.cases (id) WHERE unread_answers > 0;
DROP VIEW escalation.audit_cases;
"""

AUDIT = {
    "audit_cases": """
SELECT c.id AS case_id, c.kind, c.state, c.outcome_at, c.outcome_sequence, c.no_customer_affected, greatest(
    (SELECT max(e.sequence) FROM escalation.entries e WHERE e.case_id = c.id AND e.about_outcome),
    (SELECT max(m.sequence) FROM escalation.case_mails m WHERE m.case_id = c.id AND m.about_outcome
        AND m.state = 'delivered' AND m.outcome_sequence = c.outcome_sequence)) AS informed_sequence
FROM escalation.cases c""",
}


def upgrade() -> None:
    """Create the tables."""
    execute_script(TABLES)
    grant_monitor_views("escalation", AUDIT)
