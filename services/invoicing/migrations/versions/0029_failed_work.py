"""Failed work is set aside until a person has it tried again, and is not pending."""

from shared.persistence.failed_work_tables import create_failed_work

revision = "0029"
down_revision = "0028"

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
}


def upgrade() -> None:
    """Create the tables, and the view of pending work anew."""
    create_failed_work("invoicing", DUE)
