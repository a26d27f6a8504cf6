"""A dispute that is upheld above the limit of whoever decides waits for a second person."""

from shared.persistence.migrations import execute_script

revision = "0007"
down_revision = "0006"

COLUMNS = """
ALTER TABLE escalation.disputes ADD COLUMN uphold_proposed_by TEXT;
ALTER TABLE escalation.disputes ADD COLUMN uphold_proposed_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE escalation.disputes DROP CONSTRAINT disputes_state_check;
ALTER TABLE escalation.disputes ADD CHECK (state IN ('requested', 'opened', 'refused', 'waiting_for_second_person',
    'upheld', 'rejected', 'withdrawn'));
ALTER TABLE escalation.disputes ADD CHECK (num_nulls(uphold_proposed_by, uphold_proposed_at) IN (0, 2));
ALTER TABLE escalation.disputes ADD CHECK (state <> 'waiting_for_second_person' OR uphold_proposed_by IS NOT NULL);
"""


def upgrade() -> None:
    """Add the state, and who proposed it when."""
    execute_script(COLUMNS)
