"""A line of an invoice by hand has the class of tax by which its rate was found."""

from shared.persistence.migrations import execute_script

revision = "0027"
down_revision = "0026"

COLUMN = "ALTER TABLE invoicing.invoice_lines ADD COLUMN tax_class TEXT"


def upgrade() -> None:
    """Add the column, empty: lines that were issued without a class say nothing of tax."""
    execute_script(COLUMN)
