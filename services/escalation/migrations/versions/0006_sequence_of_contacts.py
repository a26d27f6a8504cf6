"""A contact closes the loop if it was recorded after the outcome, by the sequence of the account's facts."""

from alembic import op

from shared.persistence.migrations import grant_monitor_views, execute_script

revision = "0006"
down_revision = "0005"

COLUMNS = """
ALTER TABLE escalation.cases ADD COLUMN outcome_sequence BIGINT;
UPDATE escalation.cases SET outcome_sequence = 0 WHERE outcome_at IS NOT NULL;
ALTER TABLE escalation.contacts ADD COLUMN sequence BIGINT;
UPDATE escalation.contacts k SET sequence = CASE WHEN k.contacted_at >= c.outcome_at THEN 1 ELSE 0 END
FROM escalation.cases c WHERE c.id = k.case_id;
ALTER TABLE escalation.contacts ALTER COLUMN sequence SET NOT NULL
"""
"""Without sequences of their own, facts of before keep the order of their times."""

AUDIT = {
    "audit_cases": """
SELECT c.id AS case_id, c.kind, c.state, c.outcome_at, c.outcome_sequence, c.no_customer_affected,
    max(k.sequence) AS informed_sequence
FROM escalation.cases c LEFT JOIN escalation.contacts k ON k.case_id = c.id AND k.about_outcome
GROUP BY c.id""",
}


def upgrade() -> None:
    """Order outcomes and contacts by sequence."""
    execute_script(COLUMNS)
    op.execute("DROP VIEW escalation.audit_cases")
    grant_monitor_views("escalation", AUDIT)
