"""Who changed what by which request: entries that are only appended; and each caller has one name."""

from shared.persistence.migrations import create_audit_entries, fold_idempotency_callers

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of the audit; keys of callers count for their normalised names."""
    create_audit_entries("escalation")
    fold_idempotency_callers("escalation")
