"""Vendor invoices and their payments are posted; those that are there wait for the sweep `vendor_postings`."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0022"
down_revision = "0021"

TABLES = """
INSERT INTO invoicing.ledger_accounts (code, name, kind) VALUES
    ('input_tax', 'Tax of the vendor to be reclaimed', 'asset'),
    ('vendor_differences', 'Differences to the vendor that were accepted', 'expense');
ALTER TABLE invoicing.ledger_entries ALTER COLUMN account_id DROP NOT NULL;
ALTER TABLE invoicing.ledger_entries ADD CHECK (
    account_id IS NOT NULL OR document IN ('vendor_invoice', 'vendor_payment', 'vendor_difference'));
ALTER TABLE invoicing.vendor_invoices ADD COLUMN post_at TIMESTAMP WITH TIME ZONE;
UPDATE invoicing.vendor_invoices SET post_at = received_at;
CREATE INDEX vendor_invoices_to_post ON invoicing.vendor_invoices (post_at) WHERE post_at IS NOT NULL;
"""

DUE = """
SELECT 'due'::text AS kind, 'vendor_postings'::text AS name, number AS detail, post_at AS due_at
FROM invoicing.vendor_invoices WHERE post_at IS NOT NULL"""


def upgrade() -> None:
    """Change the tables; the service's role has its rights already."""
    execute_script(TABLES)
    # Added to whatever the view is by now, so that it does not matter which migration before this one changed it.
    view = op.get_bind().exec_driver_sql("SELECT pg_get_viewdef('invoicing.pending_work'::regclass)").scalar_one()
    op.execute(f"CREATE OR REPLACE VIEW invoicing.pending_work AS {view.rstrip().rstrip(';')}\nUNION ALL {DUE}")
