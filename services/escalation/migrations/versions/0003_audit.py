"""Who changed what by which request: entries that are only appended."""

from shared.migrations import audit_2

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of the audit."""
    audit_2("escalation")
