"""Lines of usage are charged together by meter, and each keeps its own amount."""

from shared.persistence.migrations import execute_script

revision = "0012"
down_revision = "0011"

TABLES = """
ALTER TABLE invoicing.usage_lines ADD COLUMN amount_minor BIGINT;
UPDATE invoicing.usage_lines u SET amount_minor = coalesce(
    (SELECT c.amount_minor FROM invoicing.charges c WHERE c.id = u.charge_id), 0);
ALTER TABLE invoicing.usage_lines ALTER COLUMN amount_minor SET NOT NULL;
ALTER TABLE invoicing.usage_lines ADD CHECK (amount_minor >= 0);
CREATE INDEX usage_lines_of_charge ON invoicing.usage_lines (charge_id);
"""


def upgrade() -> None:
    """Change the table; the service's role has its rights already."""
    execute_script(TABLES)
