"""Settings that move money keep their history, and wait for a second person once an entity has issued invoices."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0032"
down_revision = "0031"

TABLE = """
CREATE TABLE invoicing.setting_changes (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    legal_entity TEXT,
    former JSONB NOT NULL,
    wanted JSONB NOT NULL,
    reason TEXT,
    state TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by TEXT,
    decision_reason TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CHECK (kind IN ('legal_entity', 'tax_rate', 'approval_limit', 'tolerance', 'second_person', 'ledger_period')),
    CHECK (state IN ('proposed', 'carried_out', 'declined', 'withdrawn')),
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK (num_nulls(decided_by, decision_reason) IN (0, 2)),
    CHECK (state IN ('proposed', 'carried_out') OR decided_by IS NOT NULL),
    CHECK (state = 'withdrawn' OR decided_by IS DISTINCT FROM proposed_by)
);
CREATE UNIQUE INDEX setting_changes_standing ON invoicing.setting_changes (kind, key) WHERE state = 'proposed';
CREATE INDEX setting_changes_by_state ON invoicing.setting_changes (state, id);
CREATE INDEX setting_changes_by_kind ON invoicing.setting_changes (kind, id);
CREATE INDEX setting_changes_of_entity ON invoicing.setting_changes (legal_entity, id);
"""

DECISION = "state, decided_by, decision_reason, decided_at"
"""What is known of a change only once it was decided; all the rest stays as it was proposed."""


def upgrade() -> None:
    """Add the table, whose rows stay: the service decides about them, and neither rewrites nor deletes them."""
    execute_script(TABLE)
    op.execute("REVOKE UPDATE, DELETE ON invoicing.setting_changes FROM invoicing")
    op.execute(f"GRANT UPDATE ({DECISION}) ON invoicing.setting_changes TO invoicing")
