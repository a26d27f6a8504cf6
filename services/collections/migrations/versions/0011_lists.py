"""Late accounts, suspensions and waiting steps are listed over all accounts."""

from shared.persistence.migrations import execute_script

revision = "0011"
down_revision = "0010"

WAITS_FOR = """
ALTER TABLE collections.deferrals ADD COLUMN waits_for TEXT;
UPDATE collections.deferrals SET waits_for = CASE WHEN by_guard THEN 'guard'
    WHEN cause LIKE 'bank data are older than %'
        OR cause IN ('no bank statement was imported yet', 'an unmatched receipt may be theirs') THEN 'bank_data'
    ELSE 'policy' END;
ALTER TABLE collections.deferrals ALTER COLUMN waits_for SET NOT NULL;
ALTER TABLE collections.deferrals ADD CHECK (waits_for IN ('guard', 'bank_data', 'policy'));
ALTER TABLE collections.deferrals DROP COLUMN by_guard;
CREATE INDEX deferrals_listed ON collections.deferrals (waits_for, invoice_id)
"""

OLDEST_DUE_DATE = """
ALTER TABLE collections.cases ADD COLUMN oldest_due_date DATE;
UPDATE collections.cases SET oldest_due_date = coalesce(
    (SELECT min(i.due_date) FROM collections.items i
        WHERE i.account_id = cases.account_id AND i.open_minor > 0
        AND EXISTS (SELECT FROM collections.overdues o WHERE o.invoice_id = i.invoice_id)),
    (SELECT (cases.opened_at AT TIME ZONE a.time_zone)::date - 1 FROM collections.accounts a
        WHERE a.account_id = cases.account_id),
    (cases.opened_at AT TIME ZONE 'UTC')::date - 1) WHERE closed_at IS NULL;
ALTER TABLE collections.cases ADD CHECK (closed_at IS NOT NULL OR oldest_due_date IS NOT NULL);
CREATE INDEX cases_open ON collections.cases (id) WHERE closed_at IS NULL;
CREATE INDEX cases_open_by_stage ON collections.cases (stage, id) WHERE closed_at IS NULL;
CREATE INDEX cases_open_by_age ON collections.cases (oldest_due_date) WHERE closed_at IS NULL
"""

INDEXES = """
CREATE INDEX accounts_by_entity ON collections.accounts (legal_entity, account_id);
CREATE INDEX suspensions_listed ON collections.suspensions (state, id)
"""


def upgrade() -> None:
    """Say what each step waits for and since when an account is late, and let the lists be read by index."""
    execute_script(WAITS_FOR)
    execute_script(OLDEST_DUE_DATE)
    execute_script(INDEXES)
