"""What is disputed later than the policy says is a question."""

from shared.persistence.migrations import execute_script

revision = "0029"
down_revision = "0028"

CAUSES = """
ALTER TABLE escalation.disputes DROP CONSTRAINT disputes_question_cause_check,
    ADD CHECK (question_cause IN ('rejected_before', 'too_late'))
"""


def upgrade() -> None:
    """Let a dispute be a question since it is too late."""
    execute_script(CAUSES)
