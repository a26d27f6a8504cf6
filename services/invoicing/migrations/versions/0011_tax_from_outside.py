"""A legal entity may have its tax calculated by an outside service; until it has answered, an account is to be taxed."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0011"
down_revision = "0010"

TABLES = """
ALTER TABLE invoicing.legal_entities ADD COLUMN country TEXT;
ALTER TABLE invoicing.legal_entities ADD COLUMN tax_calculator TEXT;
UPDATE invoicing.legal_entities SET tax_calculator = 'rates';
ALTER TABLE invoicing.legal_entities ALTER COLUMN tax_calculator SET NOT NULL;
ALTER TABLE invoicing.legal_entities ADD CHECK (tax_calculator IN ('rates', 'outside'));
ALTER TABLE invoicing.legal_entities ADD CHECK (tax_calculator = 'rates' OR country IS NOT NULL);

ALTER TABLE invoicing.drafts ADD COLUMN tax_request_id UUID;
ALTER TABLE invoicing.drafts ADD COLUMN tax_note TEXT;
ALTER TABLE invoicing.invoices ADD COLUMN tax_request_id UUID;
ALTER TABLE invoicing.invoices ADD COLUMN tax_note TEXT;

ALTER TABLE invoicing.bill_run_accounts DROP CONSTRAINT bill_run_accounts_state_check;
ALTER TABLE invoicing.bill_run_accounts ADD CHECK (state IN ('waiting', 'to_be_taxed', 'drafted', 'approved', 'issued', 'nothing', 'set_aside'));
DROP INDEX invoicing.bill_run_accounts_open;
CREATE INDEX bill_run_accounts_open ON invoicing.bill_run_accounts (account_id) WHERE state IN ('waiting', 'to_be_taxed', 'drafted', 'approved');
CREATE INDEX bill_run_accounts_to_be_taxed ON invoicing.bill_run_accounts (run_id) WHERE state = 'to_be_taxed';
"""

WAITS_FOR_TAX = """
SELECT FROM invoicing.bill_run_accounts a WHERE a.run_id::text = known.detail AND a.state = 'to_be_taxed'
"""


def upgrade() -> None:
    """Change the tables; the service's role has its rights already."""
    execute_script(TABLES)
    # What a run waits for then is an intent, which the view shows already: were the run due too, nothing were idle.
    # Taken from whatever the view is by now, so that it does not matter which migration before this one changed it.
    view = op.get_bind().exec_driver_sql("SELECT pg_get_viewdef('invoicing.pending_work'::regclass)").scalar_one()
    op.execute(
        f"CREATE OR REPLACE VIEW invoicing.pending_work AS SELECT known.* FROM ({view.rstrip().rstrip(';')}) AS known"
        f" WHERE NOT (kind = 'due' AND name = 'finished_runs' AND EXISTS ({WAITS_FOR_TAX}))"
    )
