"""Event types that are consumed for the first time get their past."""

from shared.persistence.migrations import create_backfills

revision = "0003"
down_revision = "0002"

CONSUMED_TYPES = {
    "collections.events": [
        "goodstanding.collections.ReinstatementRequested.v1",
        "goodstanding.collections.SuspensionRequested.v1",
        "goodstanding.collections.SuspensionWithdrawn.v1",
    ],
    "invoicing.events": [
        "goodstanding.invoicing.SubscriptionActivated.v1",
    ],
}


def upgrade() -> None:
    """Note which types have been consumed so far, and make room for backfills."""
    create_backfills("entitlements", CONSUMED_TYPES)
