"""Limits of the guard keep their history, and are loosened by two once a suspension was requested."""

from shared.persistence.migrations import execute_script

revision = "0014"
down_revision = "0013"

TABLE = """
CREATE TABLE collections.guard_limit_changes (
    id UUID NOT NULL,
    former JSONB NOT NULL,
    wanted JSONB NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by TEXT,
    decision_reason TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CHECK (state IN ('proposed', 'carried_out', 'declined', 'withdrawn')),
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK (num_nulls(decided_by, decision_reason) IN (0, 2)),
    CHECK (state IN ('proposed', 'carried_out') OR decided_by IS NOT NULL),
    CHECK (state = 'withdrawn' OR decided_by IS DISTINCT FROM proposed_by)
);
CREATE UNIQUE INDEX guard_limit_changes_standing ON collections.guard_limit_changes (state) WHERE state = 'proposed';
"""
RIGHTS = """
REVOKE UPDATE, DELETE ON collections.guard_limit_changes FROM collections;
GRANT UPDATE (state, decided_by, decision_reason, decided_at) ON collections.guard_limit_changes TO collections;
"""


def upgrade() -> None:
    """Add the table, whose rows stay: the service decides about them, and neither rewrites nor deletes them."""
    execute_script(TABLE)
    execute_script(RIGHTS)
