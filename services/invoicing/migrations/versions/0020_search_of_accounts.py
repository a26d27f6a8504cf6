"""Accounts are found by what people know of them."""

from shared.persistence.migrations import execute_script

revision = "0020"
down_revision = "0019"

INDEXES = """
CREATE INDEX accounts_by_beginning ON invoicing.accounts (lower(name) COLLATE "C");
CREATE INDEX accounts_by_email ON invoicing.accounts (lower(billing_email));
CREATE INDEX accounts_by_vendor_id ON invoicing.accounts USING gin (vendor_customer_ids);
CREATE INDEX accounts_by_entity ON invoicing.accounts (legal_entity, id);
"""


def upgrade() -> None:
    """Add an index for each way of asking that has none."""
    execute_script(INDEXES)
