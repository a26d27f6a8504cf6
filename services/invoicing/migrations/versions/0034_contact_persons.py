"""Customers have contact persons by role, and accounts a support level."""

from shared.persistence.migrations import execute_script

revision = "0034"
down_revision = "0033"

TABLE = """
CREATE TABLE invoicing.contact_persons (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    role TEXT NOT NULL,
    name TEXT,
    email TEXT,
    phone TEXT,
    language TEXT NOT NULL,
    channel TEXT NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    version INTEGER NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CHECK (role IN ('billing', 'technical', 'owner')),
    CHECK (channel IN ('email', 'phone', 'letter')),
    CHECK (valid_to >= valid_from),
    CHECK ((erased_at IS NULL) = (name IS NOT NULL)),
    CHECK ((erased_at IS NULL) = (email IS NOT NULL)),
    CHECK (erased_at IS NULL OR phone IS NULL),
    CHECK (erased_at IS NOT NULL OR channel <> 'phone' OR phone IS NOT NULL),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id)
);
CREATE INDEX contact_persons_of_account ON invoicing.contact_persons (account_id, id);
"""
SUPPORT_LEVEL = """
ALTER TABLE invoicing.accounts ADD COLUMN support_level TEXT DEFAULT 'standard' NOT NULL;
ALTER TABLE invoicing.accounts ALTER COLUMN support_level DROP DEFAULT;
"""


def upgrade() -> None:
    """Add the table, empty, and the column: every account has the standard level."""
    execute_script(TABLE)
    execute_script(SUPPORT_LEVEL)
