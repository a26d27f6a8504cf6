"""Refunds, write-offs and bank imports are listed."""

from shared.persistence.migrations import execute_script

revision = "0026"
down_revision = "0025"

INDEXES = """
CREATE INDEX approvals_by_kind ON invoicing.approvals (kind, id);
CREATE INDEX approvals_by_state ON invoicing.approvals (kind, state, id);
CREATE INDEX approvals_by_time ON invoicing.approvals (kind, proposed_at);
CREATE INDEX bank_imports_by_time ON invoicing.bank_imports (imported_at)
"""


def upgrade() -> None:
    """Let the lists be read by index."""
    execute_script(INDEXES)
