"""What customers were billed stands beside what the vendor bills, as at the comparison."""

from alembic import op
from shared.persistence.migrations import execute_script

revision = "0007"
down_revision = "0006"

TABLES = """
CREATE TABLE invoicing.reconciliation_customer_sums (
    reconciliation_id UUID NOT NULL,
    verdict TEXT NOT NULL,
    currency TEXT NOT NULL,
    net_minor BIGINT NOT NULL,
    PRIMARY KEY (reconciliation_id, verdict, currency),
    FOREIGN KEY(reconciliation_id, verdict) REFERENCES invoicing.reconciliation_sums (reconciliation_id, verdict)
);
"""

APPEND_ONLY = ("reconciliation_customer_sums",)


def upgrade() -> None:
    """Create the tables; the service's role gets them by the schema's default rights."""
    execute_script(TABLES)
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE ON invoicing.{table} FROM invoicing")
