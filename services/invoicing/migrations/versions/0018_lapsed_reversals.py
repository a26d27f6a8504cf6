"""A reversal lapses as far as people had credited before what it takes back."""

from shared.persistence.migrations import execute_script

revision = "0018"
down_revision = "0017"

TABLES = """
ALTER TABLE invoicing.charges ADD COLUMN lapsed_minor BIGINT;
UPDATE invoicing.charges SET lapsed_minor = 0;
ALTER TABLE invoicing.charges ALTER COLUMN lapsed_minor SET NOT NULL;
ALTER TABLE invoicing.charges ADD CHECK (lapsed_minor = 0 OR lapsed_minor BETWEEN amount_minor AND 0);
"""


def upgrade() -> None:
    """Add the column; nothing of the charges that are there has lapsed."""
    execute_script(TABLES)
