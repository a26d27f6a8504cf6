"""A legal entity has a business calendar, which is announced anew while years go by."""

from shared.persistence.failed_work_tables import create_pending_work
from shared.persistence.migrations import execute_script

revision = "0033"
down_revision = "0032"

TABLE = """
CREATE TABLE invoicing.business_calendars (
    legal_entity TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    country TEXT,
    subdivision TEXT,
    hours JSONB NOT NULL,
    extra_closed_days JSONB NOT NULL,
    extra_open_days DATE[] NOT NULL,
    covers_until DATE NOT NULL,
    announce_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (legal_entity),
    CHECK (country IS NOT NULL OR subdivision IS NULL),
    CHECK (jsonb_array_length(hours) = 7),
    FOREIGN KEY(legal_entity) REFERENCES invoicing.legal_entities (code)
);
CREATE INDEX business_calendars_due ON invoicing.business_calendars (announce_at);
"""
DUE = {
    "overdue": "SELECT account_id::text AS subject, invoice_id::text AS detail, judge_at AS due_at"
    " FROM invoicing.invoice_states WHERE judge_at IS NOT NULL",
    "terms": "SELECT account_id::text AS subject, subscription_id::text AS detail, wake_at AS due_at"
    " FROM invoicing.terms WHERE wake_at IS NOT NULL",
    "bill_runs": "SELECT account_id::text AS subject, run_id::text AS detail, due_at"
    " FROM invoicing.bill_run_accounts WHERE due_at IS NOT NULL",
    # While a run waits for its accounts or for their tax, those are pending and not the run.
    "finished_runs": """SELECT id::text AS subject, id::text AS detail, started_at AS due_at
        FROM invoicing.bill_runs b WHERE state IN ('drafting', 'issuing')
        AND NOT EXISTS (SELECT FROM invoicing.bill_run_accounts a WHERE a.run_id = b.id AND a.due_at IS NOT NULL)
        AND NOT EXISTS (SELECT FROM invoicing.bill_run_accounts a WHERE a.run_id = b.id AND a.state = 'to_be_taxed')""",
    "bank_entries": "SELECT account_id::text AS subject, id::text AS detail, due_at"
    " FROM invoicing.bank_entries WHERE due_at IS NOT NULL",
    "vendor_payments": "SELECT id::text AS subject, number AS detail, warn_at AS due_at"
    " FROM invoicing.vendor_invoices WHERE warn_at IS NOT NULL",
    "vendor_postings": "SELECT id::text AS subject, number AS detail, post_at AS due_at"
    " FROM invoicing.vendor_invoices WHERE post_at IS NOT NULL",
    "calendars": "SELECT 'calendar:' || legal_entity AS subject, legal_entity AS detail, announce_at AS due_at"
    " FROM invoicing.business_calendars",
}


def upgrade() -> None:
    """Add the table, and the view of pending work with the sweep that announces calendars."""
    execute_script(TABLE)
    create_pending_work("invoicing", DUE)
