"""Chargebacks show the fee that the network takes, if somebody says it."""

from shared.persistence.migrations import execute_script

revision = "0039"
down_revision = "0038"

COLUMN = """
ALTER TABLE invoicing.chargebacks ADD COLUMN network_fee_minor BIGINT, ADD CHECK (network_fee_minor >= 0)
"""


def upgrade() -> None:
    """Add the column; nobody has said the fees of before."""
    execute_script(COLUMN)
