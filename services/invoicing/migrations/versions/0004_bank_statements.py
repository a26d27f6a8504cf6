"""Bank statements: mappings of columns, imports, entries, proposals, and the indexes by which entries are matched."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0004"
down_revision = "0003"

TABLES = """
CREATE TABLE invoicing.bank_mappings (
    name TEXT NOT NULL,
    columns JSONB NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE invoicing.bank_imports (
    id UUID NOT NULL,
    content_hash TEXT NOT NULL,
    format TEXT NOT NULL,
    closing_date DATE,
    certain INTEGER NOT NULL,
    unmatched INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    repeated INTEGER NOT NULL,
    imported_by TEXT NOT NULL,
    imported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CHECK (format IN ('camt.053', 'csv')),
    UNIQUE (content_hash)
);

CREATE TABLE invoicing.bank_entries (
    id UUID NOT NULL,
    import_id UUID NOT NULL,
    bank_account TEXT NOT NULL,
    entry_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    is_credit BOOLEAN NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    booked_on DATE NOT NULL,
    payer TEXT,
    text TEXT NOT NULL,
    state TEXT NOT NULL,
    account_id UUID,
    invoice_id UUID,
    payment_id UUID,
    due_at TIMESTAMP WITH TIME ZONE,
    decided_by TEXT,
    reason TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (bank_account, entry_key),
    CHECK (kind IN ('receipt', 'collective', 'return', 'debit')),
    CHECK (state IN ('certain', 'unmatched', 'booked', 'ignored', 'kept')),
    CHECK (amount_minor >= 0),
    CHECK ((state = 'booked') = (payment_id IS NOT NULL)),
    CHECK ((state = 'certain') = (due_at IS NOT NULL)),
    CHECK (due_at IS NULL OR (account_id IS NOT NULL AND invoice_id IS NOT NULL)),
    CHECK (num_nulls(decided_by, reason) IN (0, 2)),
    FOREIGN KEY(import_id) REFERENCES invoicing.bank_imports (id),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id),
    UNIQUE (payment_id),
    FOREIGN KEY(payment_id) REFERENCES invoicing.payments (id)
);

CREATE INDEX bank_entries_due ON invoicing.bank_entries (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX bank_entries_listed ON invoicing.bank_entries (state, id);

CREATE INDEX bank_entries_of_import ON invoicing.bank_entries (import_id);

CREATE TABLE invoicing.bank_proposals (
    entry_id UUID NOT NULL,
    rank INTEGER NOT NULL,
    account_id UUID NOT NULL,
    invoice_id UUID,
    score INTEGER NOT NULL,
    reasons TEXT[] NOT NULL,
    PRIMARY KEY (entry_id, rank),
    CHECK (score BETWEEN 0 AND 100),
    FOREIGN KEY(entry_id) REFERENCES invoicing.bank_entries (id),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id)
);
"""

INDEXES = r"""
CREATE INDEX invoices_by_reference ON invoicing.invoices (upper(regexp_replace(external_reference, '[^A-Za-z0-9]', '', 'g'))) WHERE external_reference IS NOT NULL;

CREATE INDEX invoices_by_number ON invoicing.invoices (upper(regexp_replace(number, '[^A-Za-z0-9]', '', 'g')));

CREATE INDEX accounts_by_name ON invoicing.accounts (regexp_replace(replace(replace(replace(replace(lower(translate(name, 'ÄÖÜ', 'äöü')), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss'), '\m(gmbh|mbh|co|kg|ag|se|ltd|limited|inc|llc|bv|nv|sa|sarl|srl|spa)\M|[^a-z0-9]', '', 'g'));

CREATE INDEX invoice_states_by_amount ON invoicing.invoice_states (open_minor) WHERE open_minor > 0;
"""
"""How numbers and names are looked up is the rule of `tables.bank`."""

DUE = """
SELECT 'due'::text AS kind, 'bank_entries'::text AS name, id::text AS detail, due_at
FROM invoicing.bank_entries WHERE due_at IS NOT NULL"""

APPEND_ONLY: tuple[str, ...] = ("bank_imports", "bank_proposals")


def upgrade() -> None:
    """Create the tables; the service's role gets them by the schema's default rights."""
    execute_script(TABLES)
    execute_script(INDEXES)
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE ON invoicing.{table} FROM invoicing")
    # Added to whatever the view is by now, so that it does not matter which migration before this one changed it.
    known = op.get_bind().exec_driver_sql("SELECT pg_get_viewdef('invoicing.pending_work'::regclass)").scalar_one()
    op.execute(f"CREATE OR REPLACE VIEW invoicing.pending_work AS {known.rstrip().rstrip(';')}\nUNION ALL {DUE}")
