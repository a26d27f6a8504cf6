"""A notice can be withdrawn before it is sent."""

from shared.persistence.migrations import execute_script

revision = "0003"
down_revision = "0002"

STATES = """
ALTER TABLE collections.notices DROP CONSTRAINT notices_state_check;
ALTER TABLE collections.notices ADD CHECK (state IN ('pending', 'sent', 'failed', 'withdrawn'))
"""


def upgrade() -> None:
    """Let a notice be in that state."""
    execute_script(STATES)
