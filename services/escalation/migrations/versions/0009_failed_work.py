"""Failed work is set aside until a person has it tried again, and is not pending."""

from shared.persistence.failed_work_tables import create_failed_work

revision = "0009"
down_revision = "0008"

DUE: dict[str, str] = {}


def upgrade() -> None:
    """Create the tables, and the view of pending work anew."""
    create_failed_work("escalation", DUE)
