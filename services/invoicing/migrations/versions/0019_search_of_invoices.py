"""Invoices are found by what people ask for."""

from shared.persistence.migrations import execute_script

revision = "0019"
down_revision = "0018"

INDEXES = """
CREATE INDEX invoices_by_entity ON invoicing.invoices (legal_entity, id);
CREATE INDEX invoices_by_due_date ON invoicing.invoices (due_date, id);
CREATE INDEX invoices_by_external_reference ON invoicing.invoices (external_reference) WHERE external_reference IS NOT NULL;
CREATE INDEX invoice_states_overdue ON invoicing.invoice_states (invoice_id)
    WHERE open_minor > 0 AND overdue_at IS NOT NULL;
CREATE INDEX invoice_states_changed ON invoicing.invoice_states (changed_at, invoice_id);
"""


def upgrade() -> None:
    """Add an index for each way of asking that has none."""
    execute_script(INDEXES)
