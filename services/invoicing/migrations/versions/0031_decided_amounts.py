"""What a person decides to give counts together, by person and by account, for each business day."""

from shared.persistence.migrations import execute_script

revision = "0031"
down_revision = "0030"

TABLE = """
CREATE TABLE invoicing.decided_amounts (
    subject_id UUID NOT NULL,
    actor TEXT NOT NULL,
    account_id UUID NOT NULL,
    day DATE NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (subject_id),
    CHECK (amount_minor > 0),
    CHECK (actor <> ''),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id)
);
CREATE INDEX decided_amounts_of_actor ON invoicing.decided_amounts (actor, day, currency);
CREATE INDEX decided_amounts_of_account ON invoicing.decided_amounts (account_id, day);
"""
PAST = """
INSERT INTO invoicing.decided_amounts (subject_id, actor, account_id, day, currency, amount_minor)
SELECT id, coalesce(decided_by, proposed_by), account_id, (decided_at AT TIME ZONE 'UTC')::date, currency, amount_minor
FROM invoicing.approvals WHERE state = 'carried_out'
"""
"""What was carried out before counts for the day on which that was."""


def upgrade() -> None:
    """Add the table, with what was decided before."""
    execute_script(TABLE)
    execute_script(PAST)
