"""Approvals with their limits, refunds, direct debits, tolerances, recoveries, reasons of credit notes."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE TABLE invoicing.approval_limits (
    role TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    set_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (role, currency),
    CHECK (amount_minor >= 0)
);

CREATE TABLE invoicing.tolerances (
    legal_entity TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    set_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (legal_entity, currency),
    CHECK (amount_minor >= 0)
);

CREATE TABLE invoicing.debits (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reference TEXT NOT NULL,
    lines JSONB NOT NULL,
    state TEXT NOT NULL,
    initiated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    failure TEXT,
    payment_id UUID,
    PRIMARY KEY (id),
    CHECK (amount_minor > 0),
    CHECK (state IN ('initiated', 'settled', 'refused')),
    CHECK ((state = 'initiated') = (ended_at IS NULL)),
    CHECK ((state = 'settled') = (payment_id IS NOT NULL)),
    UNIQUE (account_id, reference),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id),
    UNIQUE (payment_id),
    FOREIGN KEY(payment_id) REFERENCES invoicing.payments (id)
);

CREATE TABLE invoicing.approvals (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    account_id UUID NOT NULL,
    invoice_id UUID,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    lines JSONB NOT NULL,
    reason_code TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by TEXT,
    decision_reason TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    credit_note_id UUID,
    PRIMARY KEY (id),
    CHECK (kind IN ('credit_note', 'write_off', 'refund')),
    CHECK (state IN ('proposed', 'carried_out', 'declined')),
    CHECK (amount_minor > 0),
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK (num_nulls(decided_by, decision_reason) IN (0, 2)),
    CHECK (decided_by IS DISTINCT FROM proposed_by),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id),
    FOREIGN KEY(credit_note_id) REFERENCES invoicing.credit_notes (id)
);

CREATE INDEX approvals_listed ON invoicing.approvals (state, id);

CREATE INDEX ix_invoicing_approvals_account_id ON invoicing.approvals (account_id);

CREATE TABLE invoicing.charge_credits (
    charge_id UUID NOT NULL,
    account_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (charge_id),
    CHECK (amount_minor > 0),
    FOREIGN KEY(charge_id) REFERENCES invoicing.charges (id)
);

CREATE TABLE invoicing.refund_parts (
    approval_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    account_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (approval_id, payment_id),
    CHECK (amount_minor > 0),
    FOREIGN KEY(approval_id) REFERENCES invoicing.approvals (id),
    FOREIGN KEY(payment_id) REFERENCES invoicing.payments (id)
);
"""

COLUMNS = """
ALTER TABLE invoicing.allocations ADD COLUMN is_recovery BOOLEAN;
UPDATE invoicing.allocations SET is_recovery = false;
ALTER TABLE invoicing.allocations ALTER COLUMN is_recovery SET NOT NULL;
ALTER TABLE invoicing.credit_notes ADD COLUMN reason_code TEXT;
UPDATE invoicing.credit_notes SET reason_code = 'dispute';
ALTER TABLE invoicing.credit_notes ALTER COLUMN reason_code SET NOT NULL;
"""

CHART = """
INSERT INTO invoicing.ledger_accounts (code, name, kind) VALUES
    ('refunds', 'Refunds to be paid', 'liability'),
    ('recoveries', 'Paid after it was written off', 'income'),
    ('small_balances', 'Small balances let go', 'expense');
"""

APPEND_ONLY: tuple[str, ...] = ("refund_parts",)


def upgrade() -> None:
    """Create the tables; the service's role gets them by the schema's default rights."""
    execute_script(TABLES)
    execute_script(COLUMNS)
    execute_script(CHART)
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE ON invoicing.{table} FROM invoicing")
