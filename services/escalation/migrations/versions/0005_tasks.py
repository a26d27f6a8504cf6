"""Tasks are cases that concern no customer."""

from alembic import op

from shared.persistence.migrations import grant_monitor_views, execute_script

revision = "0005"
down_revision = "0004"

KINDS = """
ALTER TABLE escalation.cases
    DROP CONSTRAINT cases_kind_check,
    ADD CHECK (kind IN ('billing_question', 'dispute', 'technical', 'fraud', 'task'))
"""

AUDIT = {
    "audit_cases": """
SELECT c.id AS case_id, c.kind, c.state, c.outcome_at, c.no_customer_affected, max(k.contacted_at) AS told_at
FROM escalation.cases c LEFT JOIN escalation.contacts k ON k.case_id = c.id AND k.about_outcome
GROUP BY c.id""",
}


def upgrade() -> None:
    """Let cases be tasks, and the checks of the end state see which are."""
    execute_script(KINDS)
    op.execute("DROP VIEW escalation.audit_cases")
    grant_monitor_views("escalation", AUDIT)
