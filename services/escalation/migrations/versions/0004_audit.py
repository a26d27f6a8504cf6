"""Who changed what by which request: entries that are only appended; and each caller has one name."""

from shared.persistence.migrations import audit_2, fold_callers_1

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of the audit; keys of callers count for their normalised names."""
    audit_2("escalation")
    fold_callers_1("escalation")
