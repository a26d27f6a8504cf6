"""Words of people go: those of closed cases after a period, those of a contact person when they are erased."""

from alembic import op

from shared.persistence.failed_work_tables import create_pending_work
from shared.persistence.migrations import execute_script

revision = "0032"
down_revision = "0031"

COLUMNS = """
CREATE TABLE escalation.retention_period (
    id INTEGER NOT NULL,
    days INTEGER NOT NULL,
    set_by TEXT,
    reason TEXT,
    set_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CHECK (id = 1),
    CHECK (days BETWEEN 31 AND 36600)
);
INSERT INTO escalation.retention_period (id, days) VALUES (1, 1095);
GRANT SELECT, UPDATE ON escalation.retention_period TO escalation;
ALTER TABLE escalation.cases
    ADD COLUMN words_since TIMESTAMP WITH TIME ZONE,
    ADD COLUMN words_removed_at TIMESTAMP WITH TIME ZONE;
UPDATE escalation.cases c SET words_since = greatest(c.closed_at,
    (SELECT max(e.entered_at) FROM escalation.entries e WHERE e.case_id = c.id))
WHERE c.state = 'closed';
CREATE INDEX cases_with_words ON escalation.cases (words_since) WHERE words_since IS NOT NULL;
ALTER TABLE escalation.entries
    ADD COLUMN removed_at TIMESTAMP WITH TIME ZONE,
    ADD CHECK (removed_at IS NULL OR content = '');
GRANT UPDATE (content, details, removed_at) ON escalation.entries TO escalation;
ALTER TABLE escalation.attachments
    ADD COLUMN removed_at TIMESTAMP WITH TIME ZONE,
    ADD CHECK (removed_at IS NULL OR name = '');
GRANT DELETE ON escalation.attachment_chunks TO escalation;
CREATE INDEX case_mails_of_person ON escalation.case_mails (contact_person_id, entry_id)
    WHERE contact_person_id IS NOT NULL;
ALTER TABLE escalation.inbound_mails
    ADD COLUMN contact_person_id UUID,
    ADD COLUMN removed_at TIMESTAMP WITH TIME ZONE,
    ADD CHECK (removed_at IS NULL OR num_nonnulls(sender, message_id) = 0 AND subject = '' AND content = '');
UPDATE escalation.inbound_mails m SET contact_person_id = (e.details ->> 'contact_person_id')::uuid
FROM escalation.entries e WHERE e.id = m.entry_id AND e.details ->> 'contact_person_id' IS NOT NULL;
CREATE INDEX inbound_mails_of_person ON escalation.inbound_mails (contact_person_id, id)
    WHERE contact_person_id IS NOT NULL;
CREATE INDEX inbound_mails_of_sender ON escalation.inbound_mails (sender, id) WHERE sender IS NOT NULL;
CREATE INDEX inbound_mails_of_no_case ON escalation.inbound_mails (received_at)
    WHERE case_id IS NULL AND removed_at IS NULL;
INSERT INTO escalation.streams (subject, sequence)
SELECT id::text, 0 FROM escalation.inbound_mails WHERE case_id IS NULL ON CONFLICT DO NOTHING;
GRANT DELETE ON escalation.other_bounces TO escalation;
CREATE INDEX other_bounces_by_time ON escalation.other_bounces (received_at)
"""
EMPTY_ONLY = """
CREATE FUNCTION escalation.check_emptying() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.removed_at IS NULL OR NOT OLD.details @> NEW.details THEN
        RAISE insufficient_privilege USING MESSAGE = 'an entry is emptied, and nothing else of it changes';
    END IF;
    RETURN NEW;
END $$
"""
EMPTIES = """
CREATE TRIGGER check_emptying BEFORE UPDATE ON escalation.entries
    FOR EACH ROW EXECUTE FUNCTION escalation.check_emptying()
"""
DELETABLE = ("attachment_chunks",)
"""What was only added to, and is deleted with what it belongs to; its rows are never changed."""

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
    "words_of_cases": "SELECT coalesce(c.account_id, c.id)::text AS subject, c.id::text AS detail,"
    " c.words_since + make_interval(days => r.days) AS due_at"
    " FROM escalation.cases c, escalation.retention_period r"
    " WHERE c.words_since IS NOT NULL AND c.unread_answers = 0",
    "mails_of_no_case": "SELECT m.id::text AS subject, m.state AS detail,"
    " m.received_at + make_interval(days => r.days) AS due_at"
    " FROM escalation.inbound_mails m, escalation.retention_period r"
    " WHERE m.case_id IS NULL AND m.removed_at IS NULL",
    "old_bounces": "SELECT bounce_id::text AS subject, code AS detail, received_at + interval '90 days' AS due_at"
    " FROM escalation.other_bounces",
}


def upgrade() -> None:
    """Let the service empty what has words, and create the view of pending work of this and all migrations before it."""
    execute_script(COLUMNS)
    op.execute(EMPTY_ONLY)
    op.execute(EMPTIES)
    create_pending_work("escalation", DUE)
