"""The items that a judgement reads are found by account."""

from shared.persistence.migrations import execute_script

revision = "0004"
down_revision = "0003"

INDEXES = """
DROP INDEX collections.items_open;
CREATE INDEX items_standing ON collections.items (account_id) WHERE open_minor > 0 OR due_at IS NOT NULL;
CREATE INDEX ix_collections_deferrals_account_id ON collections.deferrals (account_id)
"""


def upgrade() -> None:
    """Replace the index of open items by one of those that are open or to be judged."""
    execute_script(INDEXES)
