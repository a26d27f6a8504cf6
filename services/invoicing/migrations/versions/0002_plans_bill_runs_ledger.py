"""Plans, terms, charges, bill runs, tax, and the ledger under every fact."""

from alembic import op
from shared.persistence.migrations import grant_monitor_views, index_idempotency_keys, execute_script, create_pending_work_view, grant_service_rights

revision = "0002"
down_revision = "0001"

ACCOUNTS = """
ALTER TABLE invoicing.accounts
    ADD COLUMN country TEXT,
    ADD COLUMN tax_status TEXT CHECK (tax_status IN ('standard', 'exempt', 'reverse_charge')),
    ADD COLUMN tax_id TEXT,
    ADD COLUMN language TEXT;
UPDATE invoicing.accounts SET tax_status = 'standard', language = 'en';
ALTER TABLE invoicing.accounts ALTER COLUMN tax_status SET NOT NULL, ALTER COLUMN language SET NOT NULL;
"""

LINES = """
ALTER TABLE invoicing.invoice_lines DROP CONSTRAINT invoice_lines_amount_minor_check;
ALTER TABLE invoicing.invoice_lines
    ADD COLUMN net_minor BIGINT,
    ADD COLUMN tax_minor BIGINT,
    ADD COLUMN tax_rate_bp INTEGER,
    ADD COLUMN charge_id UUID;
UPDATE invoicing.invoice_lines SET net_minor = amount_minor, tax_minor = 0;
ALTER TABLE invoicing.invoice_lines ALTER COLUMN net_minor SET NOT NULL, ALTER COLUMN tax_minor SET NOT NULL;
ALTER TABLE invoicing.invoice_lines ADD CHECK (amount_minor = net_minor + tax_minor);
ALTER TABLE invoicing.line_balances ADD CHECK (amount_minor >= 0);
"""

TABLES = """
CREATE TABLE invoicing.bill_runs (
    id UUID NOT NULL,
    run_date DATE NOT NULL,
    state TEXT NOT NULL,
    at_once BOOLEAN NOT NULL,
    started_by TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by TEXT,
    reason TEXT,
    finished_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CHECK (state IN ('drafting', 'drafted', 'issuing', 'done', 'discarded'))
);

CREATE TABLE invoicing.ledger_accounts (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (code),
    CHECK (kind IN ('asset', 'liability', 'income', 'expense'))
);

CREATE TABLE invoicing.ledger_periods (
    legal_entity TEXT NOT NULL,
    month DATE NOT NULL,
    closed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (legal_entity, month)
);

CREATE TABLE invoicing.plans (
    id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    tax_class TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (code)
);

CREATE TABLE invoicing.tax_rates (
    legal_entity TEXT NOT NULL,
    country TEXT NOT NULL,
    tax_class TEXT NOT NULL,
    valid_from DATE NOT NULL,
    rate_bp INTEGER NOT NULL,
    PRIMARY KEY (legal_entity, country, tax_class, valid_from),
    CHECK (rate_bp BETWEEN 0 AND 10000)
);

CREATE TABLE invoicing.bill_run_accounts (
    run_id UUID NOT NULL,
    account_id UUID NOT NULL,
    state TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    reason TEXT,
    invoice_id UUID,
    PRIMARY KEY (run_id, account_id),
    CHECK (state IN ('waiting', 'drafted', 'approved', 'issued', 'nothing', 'set_aside')),
    CHECK ((state IN ('waiting', 'approved')) = (due_at IS NOT NULL)),
    CHECK ((state = 'set_aside') = (reason IS NOT NULL)),
    FOREIGN KEY(run_id) REFERENCES invoicing.bill_runs (id)
);

CREATE INDEX bill_run_accounts_due ON invoicing.bill_run_accounts (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX bill_run_accounts_open ON invoicing.bill_run_accounts (account_id) WHERE state IN ('waiting', 'drafted', 'approved');

CREATE TABLE invoicing.drafts (
    id UUID NOT NULL,
    run_id UUID NOT NULL,
    account_id UUID NOT NULL,
    legal_entity TEXT NOT NULL,
    currency TEXT NOT NULL,
    issue_date DATE NOT NULL,
    due_date DATE NOT NULL,
    total_minor BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (run_id, account_id),
    CHECK (total_minor > 0),
    FOREIGN KEY(run_id) REFERENCES invoicing.bill_runs (id),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id)
);

CREATE TABLE invoicing.ledger_entries (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    legal_entity TEXT NOT NULL,
    code TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    account_id UUID NOT NULL,
    document TEXT NOT NULL,
    document_id UUID NOT NULL,
    event_sequence BIGINT NOT NULL,
    posted_on DATE NOT NULL,
    posted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CHECK (amount_minor <> 0),
    FOREIGN KEY(code) REFERENCES invoicing.ledger_accounts (code)
);

CREATE INDEX ledger_entries_by_day ON invoicing.ledger_entries (legal_entity, posted_on, id);

CREATE INDEX ledger_entries_of_account ON invoicing.ledger_entries (account_id, id);

CREATE TABLE invoicing.plan_versions (
    plan_id UUID NOT NULL,
    version INTEGER NOT NULL,
    effective_from DATE NOT NULL,
    term_months INTEGER NOT NULL,
    period_months INTEGER NOT NULL,
    timing TEXT NOT NULL,
    while_suspended TEXT NOT NULL,
    usage_markup_bp INTEGER NOT NULL,
    cancellation_days INTEGER NOT NULL,
    vendor_unit_cost_minor BIGINT NOT NULL,
    vendor_currency TEXT NOT NULL,
    vendor_period_months INTEGER NOT NULL,
    vendor_bills_while_suspended BOOLEAN NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (plan_id, version),
    UNIQUE (plan_id, effective_from),
    CHECK (period_months IN (1, 12) AND term_months IN (1, 12, 36) AND vendor_period_months IN (1, 12, 36)),
    CHECK (period_months <= term_months AND vendor_period_months <= term_months),
    CHECK (timing IN ('advance', 'arrears')),
    CHECK (while_suspended IN ('credit', 'bill')),
    CHECK (least(vendor_unit_cost_minor, cancellation_days, usage_markup_bp) >= 0),
    FOREIGN KEY(plan_id) REFERENCES invoicing.plans (id)
);

CREATE TABLE invoicing.charges (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    kind TEXT NOT NULL,
    reference UUID,
    plan_id UUID NOT NULL,
    version INTEGER NOT NULL,
    cycle_from DATE NOT NULL,
    cycle_to DATE NOT NULL,
    period_from DATE NOT NULL,
    period_to DATE NOT NULL,
    quantity INTEGER NOT NULL,
    unit_price_minor BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    due_on DATE NOT NULL,
    is_deferred BOOLEAN NOT NULL,
    released_minor BIGINT NOT NULL,
    invoice_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CHECK (kind IN ('cycle', 'reversal', 'change', 'setup', 'usage')),
    CHECK (quantity <> 0 AND (kind = 'reversal') = (quantity < 0)),
    CHECK (cycle_to > cycle_from AND period_to > period_from),
    FOREIGN KEY(subscription_id) REFERENCES invoicing.subscriptions (id)
);

CREATE INDEX charges_of_invoice ON invoicing.charges (invoice_id) WHERE invoice_id IS NOT NULL;

CREATE INDEX charges_of_subscription ON invoicing.charges (subscription_id, cycle_from);

CREATE INDEX charges_unbilled ON invoicing.charges (account_id) WHERE invoice_id IS NULL;

CREATE TABLE invoicing.plan_prices (
    plan_id UUID NOT NULL,
    version INTEGER NOT NULL,
    currency TEXT NOT NULL,
    unit_price_minor BIGINT NOT NULL,
    setup_minor BIGINT NOT NULL,
    PRIMARY KEY (plan_id, version, currency),
    FOREIGN KEY(plan_id, version) REFERENCES invoicing.plan_versions (plan_id, version),
    CHECK (least(unit_price_minor, setup_minor) >= 0)
);

CREATE TABLE invoicing.subscription_changes (
    id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    account_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    effective_on DATE NOT NULL,
    quantity INTEGER,
    plan_id UUID,
    version INTEGER,
    unit_price_minor BIGINT,
    vendor_unit_cost_minor BIGINT,
    actor TEXT,
    reason TEXT,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CHECK (kind IN ('activate', 'quantity', 'plan', 'renew', 'cancel', 'suspend', 'reinstate')),
    CHECK (state IN ('scheduled', 'applied', 'withdrawn')),
    CHECK (quantity > 0),
    FOREIGN KEY(subscription_id) REFERENCES invoicing.subscriptions (id)
);

CREATE INDEX subscription_changes_of ON invoicing.subscription_changes (subscription_id, effective_on, id);

CREATE TABLE invoicing.terms (
    subscription_id UUID NOT NULL,
    account_id UUID NOT NULL,
    plan_id UUID NOT NULL,
    version INTEGER NOT NULL,
    currency TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    unit_price_minor BIGINT NOT NULL,
    anchor DATE NOT NULL,
    from_end BOOLEAN NOT NULL,
    term_months INTEGER NOT NULL,
    period_months INTEGER NOT NULL,
    timing TEXT NOT NULL,
    term_start DATE NOT NULL,
    term_end DATE NOT NULL,
    is_billed BOOLEAN NOT NULL,
    changed_on DATE NOT NULL,
    next_from DATE,
    next_to DATE,
    next_due DATE,
    vendor_unit_cost_minor BIGINT NOT NULL,
    vendor_currency TEXT NOT NULL,
    vendor_period_months INTEGER NOT NULL,
    vendor_is_billed BOOLEAN NOT NULL,
    vendor_next_from DATE,
    vendor_next_to DATE,
    wake_at TIMESTAMP WITH TIME ZONE,
    ended_on DATE,
    PRIMARY KEY (subscription_id),
    FOREIGN KEY(plan_id, version) REFERENCES invoicing.plan_versions (plan_id, version),
    CHECK (quantity > 0),
    CHECK (term_end > term_start),
    CHECK (num_nulls(next_from, next_to, next_due) IN (0, 3)),
    CHECK (num_nulls(vendor_next_from, vendor_next_to) IN (0, 2)),
    FOREIGN KEY(subscription_id) REFERENCES invoicing.subscriptions (id),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id)
)
 WITH (fillfactor = 70);

CREATE INDEX terms_of_account ON invoicing.terms (account_id);

CREATE INDEX terms_wake ON invoicing.terms (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE invoicing.usage_lines (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    account_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    meter TEXT NOT NULL,
    quantity NUMERIC NOT NULL,
    unit_cost NUMERIC NOT NULL,
    period_from DATE NOT NULL,
    period_to DATE NOT NULL,
    charge_id UUID NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (source, id),
    CHECK (period_to > period_from),
    CHECK (least(quantity, unit_cost) >= 0),
    FOREIGN KEY(subscription_id) REFERENCES invoicing.subscriptions (id)
);

CREATE TABLE invoicing.vendor_charges (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    kind TEXT NOT NULL,
    reference UUID NOT NULL,
    plan_id UUID NOT NULL,
    version INTEGER NOT NULL,
    cycle_from DATE NOT NULL,
    period_from DATE NOT NULL,
    period_to DATE NOT NULL,
    cycle_days INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    unit_cost_minor BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    charged_on DATE NOT NULL,
    accrued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CHECK (kind IN ('new', 'renew', 'cycleCharge', 'addQuantity', 'removeQuantity', 'cancelImmediate')),
    CHECK (period_to > period_from),
    CHECK (cycle_days > 0),
    CHECK (quantity <> 0),
    CHECK (unit_cost_minor >= 0),
    FOREIGN KEY(subscription_id) REFERENCES invoicing.subscriptions (id)
);

CREATE INDEX vendor_charges_of_account ON invoicing.vendor_charges (account_id);

CREATE INDEX vendor_charges_of_subscription ON invoicing.vendor_charges (subscription_id, period_from);

CREATE TABLE invoicing.draft_lines (
    draft_id UUID NOT NULL,
    line INTEGER NOT NULL,
    account_id UUID NOT NULL,
    charge_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    description TEXT NOT NULL,
    is_deferred BOOLEAN NOT NULL,
    net_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    tax_rate_bp INTEGER,
    collectable_minor BIGINT NOT NULL,
    PRIMARY KEY (draft_id, line),
    FOREIGN KEY(draft_id) REFERENCES invoicing.drafts (id),
    FOREIGN KEY(charge_id) REFERENCES invoicing.charges (id)
);
"""

CYCLE_AFTER = """
CREATE FUNCTION invoicing.cycle_after(boundary date, months int, anchor date, from_end boolean) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT first - 1 + CASE
        WHEN from_end THEN length - (extract(day FROM date_trunc('month', anchor) + interval '1 month' - interval '1 day')
            - extract(day FROM anchor))::int
        ELSE least(extract(day FROM anchor)::int, length)
    END
    FROM (
        SELECT first, extract(day FROM first + interval '1 month' - interval '1 day')::int AS length
        FROM (SELECT (date_trunc('month', boundary) + make_interval(months => months))::date AS first) AS month
    ) AS month
$$
"""
"""The boundary of cycles that follows another one: the rule of `domain.cycles`, for many rows at once."""

BALANCED = """
CREATE FUNCTION invoicing.ledger_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_entries GROUP BY document, document_id, legal_entity, currency HAVING sum(amount_minor) <> 0)
    THEN RAISE EXCEPTION 'entries that do not balance';
    END IF;
    IF EXISTS (SELECT FROM new_entries e JOIN invoicing.ledger_periods p
        ON p.legal_entity = e.legal_entity AND p.month = date_trunc('month', e.posted_on)::date)
    THEN RAISE EXCEPTION 'a posting into a closed period';
    END IF;
    RETURN NULL;
END $$
"""
"""What is posted by one statement balances, and no closed month takes it: also should the code forget."""

WATCHED = """
CREATE TRIGGER ledger_holds AFTER INSERT ON invoicing.ledger_entries
REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION invoicing.ledger_holds()
"""

CHART = """
INSERT INTO invoicing.ledger_accounts (code, name, kind) VALUES
    ('receivables', 'Receivables from customers', 'asset'),
    ('cash', 'Cash', 'asset'),
    ('unapplied', 'Unapplied cash of customers', 'liability'),
    ('tax', 'Tax to be paid', 'liability'),
    ('deferred_revenue', 'Revenue billed in advance', 'liability'),
    ('vendor_payable', 'Owed to the vendor', 'liability'),
    ('revenue', 'Revenue', 'income'),
    ('credits', 'Credit notes', 'income'),
    ('bad_debt', 'Written off', 'expense'),
    ('vendor_cost', 'Cost of what the vendor bills', 'expense');
"""

DUE: dict[str, str] = {
    "overdue": "SELECT invoice_id::text AS detail, judge_at AS due_at FROM invoicing.invoice_states"
    " WHERE judge_at IS NOT NULL",
    "terms": "SELECT subscription_id::text AS detail, wake_at AS due_at FROM invoicing.terms WHERE wake_at IS NOT NULL",
    "finished_runs": "SELECT id::text AS detail, started_at AS due_at FROM invoicing.bill_runs"
    " WHERE state IN ('drafting', 'issuing')",
    "bill_runs": "SELECT run_id::text AS detail, due_at FROM invoicing.bill_run_accounts WHERE due_at IS NOT NULL",
}

APPEND_ONLY: tuple[str, ...] = (
    "invoices",
    "invoice_lines",
    "balance_changes",
    "credit_notes",
    "credit_note_lines",
    "plan_versions",
    "plan_prices",
    "vendor_charges",
    "usage_lines",
    "ledger_accounts",
    "ledger_entries",
    "ledger_periods",
)

AUDIT: dict[str, str] = {
    "audit_ledger": """
SELECT legal_entity, currency, code, sum(amount_minor)::bigint AS balance_minor
FROM invoicing.ledger_entries GROUP BY legal_entity, currency, code""",
    "audit_owed": """
SELECT a.legal_entity, a.currency, coalesce(sum(i.open_minor), 0)::bigint AS open_minor,
    coalesce(sum(p.unapplied_minor), 0)::bigint AS unapplied_minor
FROM invoicing.accounts a
LEFT JOIN (SELECT account_id, sum(open_minor) AS open_minor FROM invoicing.invoice_states GROUP BY account_id) i
    ON i.account_id = a.id
LEFT JOIN (SELECT account_id, sum(unapplied_minor) AS unapplied_minor FROM invoicing.payments GROUP BY account_id) p
    ON p.account_id = a.id
GROUP BY a.legal_entity, a.currency""",
}


def upgrade() -> None:
    """Create everything."""
    index_idempotency_keys("invoicing")
    execute_script(ACCOUNTS)
    execute_script(LINES)
    execute_script(TABLES)
    op.execute(CYCLE_AFTER)
    op.execute(BALANCED)
    op.execute(WATCHED)
    execute_script(CHART)
    op.execute("DROP VIEW invoicing.pending_work")
    create_pending_work_view("invoicing", DUE)
    grant_service_rights("invoicing", APPEND_ONLY)
    grant_monitor_views("invoicing", AUDIT)
