"""A bill run gives back what it owes: charges are settled by credit notes, which name the bill that they come of."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0013"
down_revision = "0012"

TABLES = """
ALTER TABLE invoicing.credit_notes ADD COLUMN bill_id UUID;
CREATE INDEX credit_notes_of_bill ON invoicing.credit_notes (bill_id) WHERE bill_id IS NOT NULL;

ALTER TABLE invoicing.charges ADD COLUMN settled_minor BIGINT;
UPDATE invoicing.charges SET settled_minor = 0;
ALTER TABLE invoicing.charges ALTER COLUMN settled_minor SET NOT NULL;

CREATE TABLE invoicing.credited_charges (
    bill_id UUID NOT NULL,
    charge_id UUID NOT NULL,
    account_id UUID NOT NULL,
    net_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    PRIMARY KEY (bill_id, charge_id),
    FOREIGN KEY(charge_id) REFERENCES invoicing.charges (id)
);
CREATE INDEX ix_invoicing_credited_charges_account_id ON invoicing.credited_charges (account_id);

ALTER TABLE invoicing.drafts DROP CONSTRAINT drafts_total_minor_check;
ALTER TABLE invoicing.drafts ADD CHECK (total_minor <> 0);

ALTER TABLE invoicing.bill_run_accounts DROP CONSTRAINT bill_run_accounts_state_check;
ALTER TABLE invoicing.bill_run_accounts DROP CONSTRAINT bill_run_accounts_check1;
ALTER TABLE invoicing.bill_run_accounts
    ADD CHECK (state IN ('waiting', 'to_be_taxed', 'drafted', 'approved', 'issued', 'credited', 'nothing', 'set_aside')),
    ADD CHECK (state <> 'set_aside' OR reason IS NOT NULL),
    ADD CHECK (reason IS NULL OR state IN ('drafted', 'credited', 'nothing', 'set_aside'));
"""

APPEND_ONLY = ("credited_charges",)


def upgrade() -> None:
    """Add to the tables; the service's role gets the new one by the schema's default rights."""
    execute_script(TABLES)
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE ON invoicing.{table} FROM invoicing")
