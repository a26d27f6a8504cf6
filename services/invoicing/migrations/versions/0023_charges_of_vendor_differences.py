"""A difference that the customer is billed for is a charge of its subscription, once."""

from shared.persistence.migrations import execute_script

revision = "0023"
down_revision = "0022"

TABLES = """
ALTER TABLE invoicing.charges DROP CONSTRAINT charges_kind_check;
ALTER TABLE invoicing.charges ADD CHECK (
    kind IN ('cycle', 'reversal', 'change', 'setup', 'usage', 'vendor_difference'));
CREATE UNIQUE INDEX charges_of_difference ON invoicing.charges (reference) WHERE kind = 'vendor_difference';
"""


def upgrade() -> None:
    """Change the table."""
    execute_script(TABLES)
