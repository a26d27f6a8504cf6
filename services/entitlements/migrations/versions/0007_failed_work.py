"""Failed work is set aside until a person has it tried again, and is not pending."""

from shared.persistence.failed_work_tables import create_failed_work

revision = "0007"
down_revision = "0006"

DUE = {
    "ends": "SELECT account_id::text AS subject, subscription_id::text AS detail, ends_at AS due_at"
    " FROM entitlements.entitlements WHERE ends_at IS NOT NULL AND state <> 'ended'",
}


def upgrade() -> None:
    """Create the tables, and the view of pending work anew."""
    create_failed_work("entitlements", DUE)
