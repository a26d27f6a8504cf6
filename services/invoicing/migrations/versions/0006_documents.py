"""Documents: legal entities, buyers' addresses, who a document is from and to, what was sent."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0006"
down_revision = "0005"

TABLES = """
ALTER TABLE invoicing.accounts ADD COLUMN address TEXT[];

CREATE INDEX allocations_of_invoice ON invoicing.allocations (invoice_id);

CREATE TABLE invoicing.legal_entities (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT[] NOT NULL,
    tax_id TEXT NOT NULL,
    register_number TEXT NOT NULL,
    bank_name TEXT NOT NULL,
    iban TEXT NOT NULL,
    bic TEXT NOT NULL,
    footer TEXT,
    sends_documents BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (code)
);

CREATE TABLE invoicing.document_parties (
    document_id UUID NOT NULL,
    account_id UUID NOT NULL,
    parties JSONB NOT NULL,
    drawn_up_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (document_id),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id)
);

CREATE TABLE invoicing.document_deliveries (
    id UUID NOT NULL,
    document_id UUID NOT NULL,
    account_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    wanted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    wanted_by TEXT,
    reason TEXT,
    delivered_at TIMESTAMP WITH TIME ZONE,
    failure TEXT,
    PRIMARY KEY (id),
    CHECK (kind IN ('invoice', 'credit_note')),
    CHECK (state IN ('pending', 'sent', 'failed')),
    CHECK ((state = 'sent') = (delivered_at IS NOT NULL)),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK (num_nulls(wanted_by, reason) IN (0, 2)),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id)
);

CREATE INDEX document_deliveries_of ON invoicing.document_deliveries (document_id, id);

CREATE TABLE invoicing.policy_versions (
    version INTEGER NOT NULL,
    effective_date DATE NOT NULL,
    PRIMARY KEY (version)
);
"""
"""What waits to be sent is an intent, which the view of pending work shows already."""

APPEND_ONLY: tuple[str, ...] = ("document_parties",)


def upgrade() -> None:
    """Create the tables; the service's role gets them by the schema's default rights."""
    execute_script(TABLES)
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE ON invoicing.{table} FROM invoicing")
