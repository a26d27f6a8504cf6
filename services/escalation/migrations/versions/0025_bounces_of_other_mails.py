"""Bounces of mails that other services sent are announced, each once."""

from shared.persistence.migrations import execute_script

revision = "0025"
down_revision = "0024"

TABLE = """
CREATE TABLE escalation.other_bounces (
    bounce_id UUID NOT NULL,
    code TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (bounce_id)
);
REVOKE UPDATE, DELETE ON escalation.other_bounces FROM escalation;
GRANT SELECT, INSERT ON escalation.other_bounces TO escalation
"""


def upgrade() -> None:
    """Create the table, whose rows stay."""
    execute_script(TABLE)
