"""The legal entity of an account exists; facts are posted on the date of their document; months close in order."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0021"
down_revision = "0020"

ENTITIES = """
INSERT INTO invoicing.legal_entities (code, name, address, tax_id, register_number, bank_name, iban, bic, footer,
    sends_documents, country, tax_calculator, version, changed_by, changed_at)
SELECT code, '', '{}', '', '', '', '', '', NULL, false, NULL, 'rates', 0, 'migration', min(used_at) FROM (
    SELECT legal_entity AS code, registered_at AS used_at FROM invoicing.accounts
    UNION ALL SELECT legal_entity, received_at FROM invoicing.vendor_invoices
    UNION ALL SELECT legal_entity, closed_at FROM invoicing.ledger_periods
    UNION ALL SELECT legal_entity, valid_from::timestamp AT TIME ZONE 'UTC' FROM invoicing.tax_rates
    UNION ALL SELECT legal_entity, timestamptz 'epoch' FROM invoicing.tolerances
) AS used
GROUP BY code
ON CONFLICT DO NOTHING;
"""
"""Codes that are used become legal entities without data (version 0): no document names them until a person does."""

CONSTRAINTS = """
ALTER TABLE invoicing.legal_entities ADD CHECK ((version = 0) = (name = ''));
ALTER TABLE invoicing.accounts ADD FOREIGN KEY (legal_entity) REFERENCES invoicing.legal_entities (code);
ALTER TABLE invoicing.vendor_invoices ADD FOREIGN KEY (legal_entity) REFERENCES invoicing.legal_entities (code);
ALTER TABLE invoicing.ledger_periods ADD FOREIGN KEY (legal_entity) REFERENCES invoicing.legal_entities (code);
"""

BALANCED = """
CREATE OR REPLACE FUNCTION invoicing.ledger_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_entries GROUP BY document, document_id, legal_entity, currency HAVING sum(amount_minor) <> 0)
    THEN RAISE EXCEPTION 'entries that do not balance';
    END IF;
    IF EXISTS (SELECT FROM new_entries e JOIN invoicing.ledger_periods p
        ON p.legal_entity = e.legal_entity AND p.month >= date_trunc('month', e.posted_on)::date)
    THEN RAISE EXCEPTION 'a posting into a closed period';
    END IF;
    RETURN NULL;
END $$
"""
"""A month before a closed one is closed with it."""


HAS_ACCOUNTS = """
SELECT FROM invoicing.bill_run_accounts a WHERE a.run_id::text = known.detail AND a.due_at IS NOT NULL
"""


def upgrade() -> None:
    """Make entities of the codes that are there, and let the constraints hold."""
    execute_script(ENTITIES)
    execute_script(CONSTRAINTS)
    op.execute(BALANCED)
    # A run cannot finish while accounts of it are due, now or when their day begins: the view shows those already.
    view = op.get_bind().exec_driver_sql("SELECT pg_get_viewdef('invoicing.pending_work'::regclass)").scalar_one()
    op.execute(
        f"CREATE OR REPLACE VIEW invoicing.pending_work AS SELECT known.* FROM ({view.rstrip().rstrip(';')}) AS known"
        f" WHERE NOT (kind = 'due' AND name = 'finished_runs' AND EXISTS ({HAS_ACCOUNTS}))"
    )
