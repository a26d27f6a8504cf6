"""What is reserved for a dispute can be amended, in numbered steps."""

from shared.persistence.migrations import execute_script

revision = "0035"
down_revision = "0034"

AMENDMENT = """
ALTER TABLE invoicing.reservations ADD COLUMN amendment INTEGER DEFAULT 0 NOT NULL CHECK (amendment >= 0);
ALTER TABLE invoicing.reservations ALTER COLUMN amendment DROP DEFAULT;
"""


def upgrade() -> None:
    """Add the number of the last amendment: none so far."""
    execute_script(AMENDMENT)
