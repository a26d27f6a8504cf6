"""Old idempotency keys are found by their age, to be pruned."""

from shared.persistence.migrations import index_idempotency_keys

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the index."""
    index_idempotency_keys("collections")
