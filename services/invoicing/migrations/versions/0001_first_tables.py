"""The first tables of invoicing, the event backbone's, and who may use them."""

from shared.persistence.migrations import grant_monitor_views, create_backbone_tables, execute_script, create_pending_work_view, grant_service_rights

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE invoicing.accounts (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    legal_entity TEXT NOT NULL,
    currency TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    billing_email TEXT NOT NULL,
    terms_days INTEGER NOT NULL,
    external_reference TEXT,
    vendor_customer_ids TEXT[] NOT NULL,
    version INTEGER NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (external_reference)
);

CREATE TABLE invoicing.numbers (
    legal_entity TEXT NOT NULL,
    series TEXT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (legal_entity, series)
);

CREATE TABLE invoicing.invoices (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    legal_entity TEXT NOT NULL,
    number TEXT NOT NULL,
    external_reference TEXT,
    currency TEXT NOT NULL,
    issue_date DATE NOT NULL,
    due_date DATE NOT NULL,
    total_minor BIGINT NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (legal_entity, number),
    UNIQUE (account_id, external_reference),
    CHECK (total_minor > 0),
    CHECK (due_date >= issue_date),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id)
);

CREATE TABLE invoicing.payments (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reference TEXT,
    unapplied_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CHECK (amount_minor > 0),
    CHECK (unapplied_minor >= 0 AND unapplied_minor <= amount_minor),
    CHECK (state IN ('received', 'reversed')),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id)
);

CREATE INDEX payments_unapplied ON invoicing.payments (account_id) WHERE unapplied_minor > 0;

CREATE TABLE invoicing.subscriptions (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    product TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    unit_price_minor BIGINT NOT NULL,
    start DATE NOT NULL,
    end_of_term DATE,
    vendor_customer_id TEXT NOT NULL,
    vendor_subscription_id TEXT NOT NULL,
    bills_while_suspended BOOLEAN NOT NULL,
    activated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CHECK (quantity > 0),
    CHECK (unit_price_minor >= 0),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id),
    UNIQUE (vendor_subscription_id)
);

CREATE INDEX ix_invoicing_subscriptions_account_id ON invoicing.subscriptions (account_id);

CREATE TABLE invoicing.allocations (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    line INTEGER NOT NULL,
    amount_minor BIGINT NOT NULL,
    allocated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reversed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CHECK (amount_minor > 0),
    FOREIGN KEY(payment_id) REFERENCES invoicing.payments (id),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id)
);

CREATE INDEX ix_invoicing_allocations_payment_id ON invoicing.allocations (payment_id);

CREATE TABLE invoicing.balance_changes (
    invoice_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    account_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_minor BIGINT NOT NULL,
    PRIMARY KEY (invoice_id, sequence),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id)
);

CREATE TABLE invoicing.credit_notes (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    legal_entity TEXT NOT NULL,
    number TEXT NOT NULL,
    invoice_id UUID NOT NULL,
    dispute_id UUID,
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (legal_entity, number),
    CHECK (total_minor > 0),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id),
    UNIQUE (dispute_id)
);

CREATE INDEX ix_invoicing_credit_notes_account_id ON invoicing.credit_notes (account_id);

CREATE TABLE invoicing.invoice_lines (
    invoice_id UUID NOT NULL,
    line INTEGER NOT NULL,
    account_id UUID NOT NULL,
    description TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    subscription_id UUID,
    PRIMARY KEY (invoice_id, line),
    CHECK (amount_minor > 0),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id),
    FOREIGN KEY(subscription_id) REFERENCES invoicing.subscriptions (id)
);

CREATE TABLE invoicing.invoice_states (
    invoice_id UUID NOT NULL,
    account_id UUID NOT NULL,
    open_minor BIGINT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    overdue_at TIMESTAMP WITH TIME ZONE,
    judge_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (invoice_id),
    CHECK (open_minor >= 0),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id)
);

CREATE INDEX invoice_states_due ON invoicing.invoice_states (judge_at) WHERE judge_at IS NOT NULL;

CREATE INDEX invoice_states_open ON invoicing.invoice_states (account_id) WHERE open_minor > 0;

CREATE TABLE invoicing.line_balances (
    invoice_id UUID NOT NULL,
    line INTEGER NOT NULL,
    account_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    paid_minor BIGINT NOT NULL,
    credited_minor BIGINT NOT NULL,
    reserved_minor BIGINT NOT NULL,
    in_flight_minor BIGINT NOT NULL,
    written_off_minor BIGINT NOT NULL,
    PRIMARY KEY (invoice_id, line),
    CHECK (least(paid_minor, credited_minor, reserved_minor, in_flight_minor, written_off_minor) >= 0),
    CHECK (paid_minor + credited_minor + written_off_minor <= amount_minor),
    CHECK (reserved_minor <= amount_minor),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id)
);

CREATE TABLE invoicing.reservations (
    dispute_id UUID NOT NULL,
    line INTEGER NOT NULL,
    invoice_id UUID NOT NULL,
    account_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    reserved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    released_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (dispute_id, line),
    CHECK (amount_minor > 0),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id)
);

CREATE TABLE invoicing.credit_note_lines (
    credit_note_id UUID NOT NULL,
    line INTEGER NOT NULL,
    account_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (credit_note_id, line),
    CHECK (amount_minor > 0),
    FOREIGN KEY(credit_note_id) REFERENCES invoicing.credit_notes (id)
);
"""

DUE: dict[str, str] = {
    "overdue": "SELECT invoice_id::text AS detail, judge_at AS due_at FROM invoicing.invoice_states"
    " WHERE judge_at IS NOT NULL",
}

APPEND_ONLY: tuple[str, ...] = ("invoices", "invoice_lines", "balance_changes", "credit_notes", "credit_note_lines")

AUDIT: dict[str, str] = {
    "audit_balances": """
SELECT b.invoice_id, sum(open_minor)::bigint AS open_minor, sum(least(reserved_minor, open_minor))::bigint AS disputed_minor,
    sum(in_flight_minor)::bigint AS in_flight_minor
FROM (SELECT *, amount_minor - paid_minor - credited_minor - written_off_minor AS open_minor
    FROM invoicing.line_balances) b
GROUP BY b.invoice_id""",
}


def upgrade() -> None:
    """Create everything."""
    execute_script(TABLES)
    create_backbone_tables("invoicing")
    create_pending_work_view("invoicing", DUE)
    grant_service_rights("invoicing", APPEND_ONLY)
    grant_monitor_views("invoicing", AUDIT)
