"""A person may say why no customer gets a credit of the vendor's."""

from shared.persistence.migrations import execute_script

revision = "0028"
down_revision = "0027"

COLUMNS = """
ALTER TABLE escalation.vendor_credits
    ADD COLUMN set_aside_by TEXT,
    ADD COLUMN set_aside_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN set_aside_reason TEXT,
    ADD CHECK (num_nulls(set_aside_by, set_aside_at, set_aside_reason) IN (0, 3));
DROP INDEX escalation.vendor_credits_unmatched;
CREATE INDEX vendor_credits_unmatched ON escalation.vendor_credits (difference_id)
WHERE service_credit_id IS NULL AND set_aside_at IS NULL;
"""


def upgrade() -> None:
    """Add the columns, empty."""
    execute_script(COLUMNS)
