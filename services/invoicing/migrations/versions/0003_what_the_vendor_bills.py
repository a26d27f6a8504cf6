"""What we owe the vendor: its invoices, their reconciliation files, the differences."""

from alembic import op

from shared.persistence.migrations import execute_script

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE invoicing.vendor_invoices (
    id UUID NOT NULL,
    number TEXT NOT NULL,
    legal_entity TEXT NOT NULL,
    currency TEXT NOT NULL,
    invoice_date DATE NOT NULL,
    due_date DATE NOT NULL,
    period_from DATE NOT NULL,
    period_to DATE NOT NULL,
    total_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    warn_at TIMESTAMP WITH TIME ZONE,
    warned_at TIMESTAMP WITH TIME ZONE,
    paid_on DATE,
    paid_minor BIGINT,
    paid_by TEXT,
    paid_reason TEXT,
    PRIMARY KEY (id),
    UNIQUE (number),
    CHECK (tax_minor >= 0 AND tax_minor <= total_minor),
    CHECK (due_date >= invoice_date),
    CHECK (period_to > period_from),
    CHECK (state IN ('received', 'paid')),
    CHECK ((state = 'paid') = (paid_on IS NOT NULL AND paid_minor IS NOT NULL AND paid_by IS NOT NULL)),
    CHECK (state = 'received' OR warn_at IS NULL)
);

CREATE INDEX vendor_invoices_due ON invoicing.vendor_invoices (warn_at) WHERE warn_at IS NOT NULL;

CREATE INDEX vendor_invoices_unpaid ON invoicing.vendor_invoices (due_date) WHERE state = 'received';

CREATE TABLE invoicing.reconciliations (
    id UUID NOT NULL,
    vendor_invoice_id UUID NOT NULL,
    currency TEXT NOT NULL,
    file_sha256 TEXT NOT NULL,
    layout TEXT NOT NULL,
    lines INTEGER NOT NULL,
    total_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    status TEXT NOT NULL,
    took_ms INTEGER NOT NULL,
    reconciled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reconciled_by TEXT NOT NULL,
    replaced_at TIMESTAMP WITH TIME ZONE,
    replaced_by TEXT,
    replaced_why TEXT,
    PRIMARY KEY (id),
    CHECK (layout IN ('csv', 'jsonl')),
    CHECK (status IN ('clean', 'differences', 'not_compared')),
    CHECK (lines >= 0),
    FOREIGN KEY(vendor_invoice_id) REFERENCES invoicing.vendor_invoices (id)
);

CREATE UNIQUE INDEX reconciliations_current ON invoicing.reconciliations (vendor_invoice_id)
    WHERE replaced_at IS NULL;

CREATE TABLE invoicing.reconciliation_sums (
    reconciliation_id UUID NOT NULL,
    verdict TEXT NOT NULL,
    comparisons INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    billed_minor BIGINT NOT NULL,
    expected_minor BIGINT NOT NULL,
    PRIMARY KEY (reconciliation_id, verdict),
    CHECK (verdict IN {verdicts}),
    FOREIGN KEY(reconciliation_id) REFERENCES invoicing.reconciliations (id)
);

CREATE TABLE invoicing.reconciliation_lines (
    reconciliation_id UUID NOT NULL,
    line INTEGER NOT NULL,
    account_id UUID,
    subscription_id UUID,
    vendor_customer_id TEXT,
    vendor_subscription_id TEXT,
    product TEXT,
    charge_type TEXT NOT NULL,
    kind TEXT,
    unit_price NUMERIC NOT NULL,
    effective_unit_price NUMERIC,
    quantity NUMERIC NOT NULL,
    subtotal_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    period_from DATE,
    period_to DATE,
    reference TEXT,
    extra JSONB,
    verdict TEXT NOT NULL,
    PRIMARY KEY (reconciliation_id, line),
    CHECK (verdict IN {verdicts}),
    CHECK (kind IS NULL OR period_to > period_from),
    FOREIGN KEY(reconciliation_id) REFERENCES invoicing.reconciliations (id)
);

CREATE INDEX reconciliation_lines_subscription ON invoicing.reconciliation_lines (subscription_id, period_from)
    WHERE subscription_id IS NOT NULL;

CREATE TABLE invoicing.vendor_differences (
    id UUID NOT NULL,
    reconciliation_id UUID NOT NULL,
    vendor_invoice_id UUID NOT NULL,
    account_id UUID,
    subscription_id UUID,
    vendor_customer_id TEXT,
    vendor_subscription_id TEXT,
    product TEXT,
    charge_type TEXT NOT NULL,
    period_from DATE,
    period_to DATE,
    first_line INTEGER,
    lines INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    currency TEXT NOT NULL,
    billed_quantity NUMERIC NOT NULL,
    expected_quantity NUMERIC NOT NULL,
    billed_minor BIGINT NOT NULL,
    expected_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    decision TEXT,
    reason TEXT,
    decided_by TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CHECK (verdict IN {verdicts}),
    CHECK (verdict NOT IN ('matched', 'within_tolerance')),
    CHECK (state IN ('open', 'decided')),
    CHECK (decision IN ('dispute_with_vendor', 'bill_customer', 'accept')),
    CHECK ((state = 'decided') = (decision IS NOT NULL AND decided_at IS NOT NULL AND decided_by IS NOT NULL AND reason IS NOT NULL)),
    FOREIGN KEY(reconciliation_id) REFERENCES invoicing.reconciliations (id),
    FOREIGN KEY(vendor_invoice_id) REFERENCES invoicing.vendor_invoices (id)
);

CREATE INDEX vendor_differences_open ON invoicing.vendor_differences (id) WHERE state = 'open';

CREATE INDEX vendor_differences_decided ON invoicing.vendor_differences (reconciliation_id) WHERE state = 'decided';

CREATE INDEX ix_invoicing_vendor_differences_vendor_invoice_id ON invoicing.vendor_differences (vendor_invoice_id);

CREATE INDEX ix_invoicing_vendor_differences_account_id ON invoicing.vendor_differences (account_id);
""".replace(
    "{verdicts}",
    "('matched', 'within_tolerance', 'quantity_difference', 'price_difference', 'missing_with_us',"
    " 'missing_at_vendor', 'no_customer', 'not_comparable')",
)

DUE = """
SELECT 'due'::text AS kind, 'vendor_payments'::text AS name, number AS detail, warn_at AS due_at
FROM invoicing.vendor_invoices WHERE warn_at IS NOT NULL"""


def upgrade() -> None:
    """Create the tables; the service's role gets them by the schema's default rights."""
    execute_script(TABLES)
    # Added to whatever the view is by now, so that it does not matter which migration before this one changed it.
    known = op.get_bind().exec_driver_sql("SELECT pg_get_viewdef('invoicing.pending_work'::regclass)").scalar_one()
    op.execute(f"CREATE OR REPLACE VIEW invoicing.pending_work AS {known.rstrip().rstrip(';')}\nUNION ALL {DUE}")
