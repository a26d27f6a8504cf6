"""Holds are listed over all subscriptions."""

from shared.persistence.migrations import execute_script

revision = "0006"
down_revision = "0005"

INDEXES = """
CREATE INDEX holds_standing ON entitlements.holds (id) WHERE released_at IS NULL;
CREATE INDEX holds_by_reason ON entitlements.holds (reason, id);
CREATE INDEX holds_standing_by_reason ON entitlements.holds (reason, id) WHERE released_at IS NULL;
CREATE INDEX holds_of_account ON entitlements.holds (account_id, id)
"""


def upgrade() -> None:
    """Let the list be read by index."""
    execute_script(INDEXES)
