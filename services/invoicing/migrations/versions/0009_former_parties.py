"""A document names us and the customer as they were when it was issued, whenever it is first drawn up."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0009"
down_revision = "0008"

TABLES = """
CREATE TABLE invoicing.former_buyers (
    account_id UUID NOT NULL,
    version INTEGER NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    buyer JSONB NOT NULL,
    PRIMARY KEY (account_id, version),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id)
);
CREATE TABLE invoicing.former_sellers (
    legal_entity TEXT NOT NULL,
    version INTEGER NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    seller JSONB NOT NULL,
    PRIMARY KEY (legal_entity, version)
);
"""

APPEND_ONLY = ("former_buyers", "former_sellers")


def upgrade() -> None:
    """Create the tables; the service's role gets them by the schema's default rights."""
    execute_script(TABLES)
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE ON invoicing.{table} FROM invoicing")
