"""Old idempotency keys are found by their age, to be pruned."""

from shared.persistence.migrations import backbone_2

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the index."""
    backbone_2("entitlements")
