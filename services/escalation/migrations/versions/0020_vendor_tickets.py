"""Cases are handed over to the vendor by tickets, once what can be done before was done."""

from shared.persistence.failed_work_tables import create_pending_work
from shared.persistence.migrations import execute_script

revision = "0020"
down_revision = "0019"

TABLES = """
CREATE TABLE escalation.vendor_channels (
    legal_entity TEXT NOT NULL,
    kind TEXT NOT NULL,
    company TEXT NOT NULL,
    contact_name TEXT NOT NULL,
    contact_email TEXT NOT NULL,
    contact_phone TEXT NOT NULL,
    distributor_email TEXT,
    language TEXT NOT NULL,
    countries TEXT[] NOT NULL,
    changed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (legal_entity),
    CHECK (kind IN ('portal', 'distributor')),
    CHECK ((kind = 'distributor') = (distributor_email IS NOT NULL))
);
CREATE TABLE escalation.vendor_tickets (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    account_id UUID,
    legal_entity TEXT NOT NULL,
    channel TEXT NOT NULL,
    number TEXT,
    status TEXT NOT NULL,
    status_since TIMESTAMP WITH TIME ZONE NOT NULL,
    severity TEXT,
    category TEXT,
    language TEXT NOT NULL,
    product TEXT,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    contact JSONB NOT NULL,
    checks JSONB NOT NULL,
    entries JSONB NOT NULL,
    decisions JSONB NOT NULL,
    compared_lines JSONB NOT NULL,
    no_line_reason TEXT,
    waived TEXT[] NOT NULL,
    resource_id UUID,
    prepared_by TEXT NOT NULL,
    prepared_at TIMESTAMP WITH TIME ZONE NOT NULL,
    submitted_by TEXT,
    submitted_at TIMESTAMP WITH TIME ZONE,
    clock_case_id UUID,
    clock_run INTEGER,
    answered_at TIMESTAMP WITH TIME ZONE,
    read_at TIMESTAMP WITH TIME ZONE,
    reading_refusal TEXT,
    next_reading_at TIMESTAMP WITH TIME ZONE,
    is_solved BOOLEAN,
    solved_reason TEXT,
    solved_by TEXT,
    solved_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    FOREIGN KEY(clock_case_id) REFERENCES escalation.cases (id),
    FOREIGN KEY(resource_id) REFERENCES escalation.support_resources (id),
    UNIQUE (legal_entity, number),
    CHECK (channel IN ('portal', 'distributor')),
    CHECK (status IN ('prepared', 'discarded', 'open', 'attention_needed', 'closed')),
    CHECK ((status IN ('prepared', 'discarded')) = (number IS NULL)),
    CHECK (num_nulls(number, submitted_by, submitted_at) IN (0, 3)),
    CHECK (severity IN ('A', 'B', 'C')),
    CHECK (num_nulls(is_solved, solved_reason, solved_by, solved_at) IN (0, 4))
);
CREATE INDEX vendor_tickets_of_case ON escalation.vendor_tickets (case_id, id);
CREATE INDEX vendor_tickets_of_account ON escalation.vendor_tickets (account_id, id);
CREATE INDEX vendor_tickets_by_status ON escalation.vendor_tickets (status, id);
CREATE INDEX vendor_tickets_to_read ON escalation.vendor_tickets (next_reading_at) WHERE next_reading_at IS NOT NULL;
CREATE TABLE escalation.ticket_notes (
    entry_id UUID NOT NULL,
    ticket_id UUID NOT NULL,
    is_ours BOOLEAN NOT NULL,
    content TEXT NOT NULL,
    fingerprint TEXT,
    written_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (entry_id),
    FOREIGN KEY(entry_id) REFERENCES escalation.entries (id),
    FOREIGN KEY(ticket_id) REFERENCES escalation.vendor_tickets (id),
    UNIQUE (ticket_id, fingerprint)
);
ALTER TABLE escalation.entries
    DROP CONSTRAINT entries_kind_check,
    ADD CHECK (kind IN ('note', 'call', 'message', 'vendor_note', 'state', 'change', 'resource', 'mail_out', 'mail_in',
        'attachment', 'health_check', 'attempt', 'override'))
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
}


def upgrade() -> None:
    """Create the tables, and the view of pending work anew."""
    execute_script(TABLES)
    create_pending_work("escalation", DUE)
