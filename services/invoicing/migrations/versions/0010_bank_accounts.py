"""Each bank account of ours has a day until which its payments are known."""

from shared.persistence.migrations import execute_script

revision = "0010"
down_revision = "0009"

TABLES = """
CREATE TABLE invoicing.bank_accounts (
    bank_account TEXT NOT NULL,
    closing_date DATE NOT NULL,
    known_until TIMESTAMP WITH TIME ZONE NOT NULL,
    is_closed BOOLEAN NOT NULL,
    closed_by TEXT,
    reason TEXT,
    closed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (bank_account),
    CHECK (num_nulls(closed_by, reason, closed_at) = CASE WHEN is_closed THEN 0 ELSE 3 END)
);
INSERT INTO invoicing.bank_accounts
SELECT e.bank_account, max(i.closing_date),
    max(least(i.imported_at, (i.closing_date + 1)::timestamp AT TIME ZONE 'UTC')), false, NULL, NULL, NULL
FROM invoicing.bank_imports i JOIN invoicing.bank_entries e ON e.import_id = i.id
WHERE i.closing_date IS NOT NULL GROUP BY e.bank_account;
"""


def upgrade() -> None:
    """Create the table with what former imports say; the service's role gets it by the schema's default rights."""
    execute_script(TABLES)
