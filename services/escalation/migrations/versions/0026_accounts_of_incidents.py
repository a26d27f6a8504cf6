"""Accounts with cases that an incident is about are looked at one by one."""

from shared.persistence.migrations import execute_script

revision = "0026"
down_revision = "0025"

TABLE = """
CREATE TABLE escalation.incident_accounts (
    account_id UUID NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (account_id)
);
"""


def upgrade() -> None:
    """Create the table, empty."""
    execute_script(TABLE)
