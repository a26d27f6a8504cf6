"""Failed work is set aside until a person has it tried again, and is not pending."""

from shared.persistence.failed_work_tables import create_failed_work

revision = "0013"
down_revision = "0012"

DUE = {
    "steps": "SELECT account_id::text AS subject, invoice_id::text AS detail, due_at"
    " FROM collections.items WHERE due_at IS NOT NULL",
}


def upgrade() -> None:
    """Create the tables, and the view of pending work anew."""
    create_failed_work("collections", DUE)
