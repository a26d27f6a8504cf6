"""What we contest of vendor invoices, as escalation announces it."""

from shared.persistence.migrations import execute_script

revision = "0036"
down_revision = "0035"

TABLE = """
CREATE TABLE invoicing.contested_amounts (
    vendor_dispute_id UUID NOT NULL,
    vendor_invoice_id UUID NOT NULL,
    currency TEXT NOT NULL,
    contested_minor BIGINT NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (vendor_dispute_id),
    CHECK (contested_minor > 0)
);
CREATE INDEX contested_amounts_open ON invoicing.contested_amounts (vendor_invoice_id) INCLUDE (contested_minor)
    WHERE ended_at IS NULL;
"""


def upgrade() -> None:
    """Create the table, empty: nothing is contested."""
    execute_script(TABLE)
