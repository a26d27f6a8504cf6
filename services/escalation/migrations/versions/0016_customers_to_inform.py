"""A resolved case says by when the customer is to be told the outcome."""

from shared.persistence.migrations import execute_script

revision = "0016"
down_revision = "0015"

INFORM_BY = """
ALTER TABLE escalation.cases ADD COLUMN inform_by TIMESTAMP WITH TIME ZONE;
UPDATE escalation.cases c SET inform_by = outcome_at + interval '2 days'
WHERE state = 'resolved' AND account_id IS NOT NULL AND kind <> 'task' AND NOT EXISTS (
    SELECT FROM escalation.entries e WHERE e.case_id = c.id AND e.about_outcome AND e.sequence > c.outcome_sequence
);
CREATE INDEX cases_to_inform ON escalation.cases (inform_by, id) WHERE inform_by IS NOT NULL;
"""


def upgrade() -> None:
    """Add the instant; for cases of before two days after the outcome, whatever the hours of the legal entity."""
    execute_script(INFORM_BY)
