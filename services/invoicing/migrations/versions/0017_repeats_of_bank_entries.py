"""Entries keep the bank's reference and the ids of the payment; they name the debit that they pay, and repeats."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0017"
down_revision = "0016"

COLUMNS = r"""
ALTER TABLE invoicing.bank_entries ADD COLUMN reference TEXT,
    ADD COLUMN ids TEXT[],
    ADD COLUMN return_reason TEXT,
    ADD COLUMN debit_id UUID REFERENCES invoicing.debits (id);

CREATE INDEX bank_entries_by_reference ON invoicing.bank_entries (bank_account, reference) WHERE reference <> '';

CREATE INDEX debits_by_reference ON invoicing.debits (upper(regexp_replace(reference, '[^A-Za-z0-9]', '', 'g')));

CREATE INDEX debits_in_flight ON invoicing.debits (invoice_id) WHERE state = 'initiated';
"""
"""Reference and ids are null for what was taken when the reference stood in the key alone: it is known by that key."""

TABLES = """
CREATE TABLE invoicing.bank_repeats (
    id UUID NOT NULL,
    import_id UUID NOT NULL,
    place INTEGER NOT NULL,
    entry_id UUID NOT NULL,
    taken_entry_id UUID,
    taken_by TEXT,
    reason TEXT,
    taken_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (import_id, place),
    CHECK (num_nulls(taken_entry_id, taken_by, reason, taken_at) IN (0, 4)),
    FOREIGN KEY(import_id) REFERENCES invoicing.bank_imports (id),
    FOREIGN KEY(entry_id) REFERENCES invoicing.bank_entries (id),
    UNIQUE (taken_entry_id),
    FOREIGN KEY(taken_entry_id) REFERENCES invoicing.bank_entries (id)
);

CREATE TABLE invoicing.bank_refused_entries (
    import_id UUID NOT NULL,
    place INTEGER NOT NULL,
    bank_account TEXT NOT NULL,
    field TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (import_id, place),
    FOREIGN KEY(import_id) REFERENCES invoicing.bank_imports (id)
);

CREATE INDEX bank_repeats_of_import ON invoicing.bank_repeats (import_id, id);
"""

APPEND_ONLY: tuple[str, ...] = ("bank_refused_entries",)


def upgrade() -> None:
    """Add the columns and the tables; the service's role gets them by the schema's default rights."""
    execute_script(COLUMNS)
    execute_script(TABLES)
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE ON invoicing.{table} FROM invoicing")
