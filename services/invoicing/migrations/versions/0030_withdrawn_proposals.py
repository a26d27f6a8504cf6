"""Whoever proposed a credit note, a write-off or a refund can withdraw it, which is no approval of their own."""

from shared.persistence.migrations import execute_script

revision = "0030"
down_revision = "0029"

CHECKS = """
ALTER TABLE invoicing.approvals
    DROP CONSTRAINT approvals_state_check,
    DROP CONSTRAINT approvals_check2,
    ADD CONSTRAINT approvals_state_check CHECK (state IN ('proposed', 'carried_out', 'declined', 'withdrawn')) NOT VALID,
    ADD CONSTRAINT approvals_check2 CHECK (state = 'withdrawn' OR decided_by IS DISTINCT FROM proposed_by) NOT VALID;
ALTER TABLE invoicing.approvals VALIDATE CONSTRAINT approvals_state_check;
ALTER TABLE invoicing.approvals VALIDATE CONSTRAINT approvals_check2;
"""
"""The second check of several columns is unnamed in 0005, so Postgres has numbered it: the person who decides is
another one than who proposed."""


def upgrade() -> None:
    """Take the state, and the proposer as the one who decided it."""
    execute_script(CHECKS)
