"""Cases say whether their subject is words of ours, which no customer reads."""

from shared.persistence.migrations import execute_script

revision = "0031"
down_revision = "0030"

COLUMN = """
ALTER TABLE escalation.cases ADD COLUMN is_subject_internal BOOLEAN;
UPDATE escalation.cases SET is_subject_internal = true
WHERE cause IS NOT NULL OR kind IN ('task', 'vendor_refusal')
    OR id IN (SELECT case_id FROM escalation.disputes UNION ALL SELECT case_id FROM escalation.service_credits);
"""


def upgrade() -> None:
    """Add the column; true for the cases that were opened with something else."""
    execute_script(COLUMN)
