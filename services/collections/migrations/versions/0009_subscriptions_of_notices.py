"""News about access names its subscriptions."""

from shared.persistence.migrations import execute_script

revision = "0009"
down_revision = "0008"

COLUMN = """
ALTER TABLE collections.notices ADD COLUMN subscription_ids UUID[];
UPDATE collections.notices SET subscription_ids = '{}';
ALTER TABLE collections.notices ALTER COLUMN subscription_ids SET NOT NULL
"""


def upgrade() -> None:
    """Add the column; notices that there are name none."""
    execute_script(COLUMN)
