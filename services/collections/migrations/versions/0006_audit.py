"""Who changed what by which request: entries that are only appended; and each caller has one name."""

from shared.persistence.migrations import audit_2, fold_callers_1

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table of the audit; keys of callers count for their normalised names."""
    audit_2("collections")
    fold_callers_1("collections")
