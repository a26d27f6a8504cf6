"""A ticket for the vendor may carry files of its case."""

from shared.persistence.migrations import execute_script

revision = "0022"
down_revision = "0021"

FILES = """
ALTER TABLE escalation.vendor_tickets ADD COLUMN attachment_ids UUID[] DEFAULT '{}' NOT NULL;
ALTER TABLE escalation.vendor_tickets ALTER COLUMN attachment_ids DROP DEFAULT;
"""


def upgrade() -> None:
    """Add the files: tickets of before have none."""
    execute_script(FILES)
