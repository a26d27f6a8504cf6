"""Why a dispute was decided or withdrawn stays with it."""

from shared.persistence.migrations import execute_script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make room for the reason; of disputes that have ended it stands in the audit entry only."""
    execute_script("ALTER TABLE escalation.disputes ADD COLUMN ended_reason TEXT")
