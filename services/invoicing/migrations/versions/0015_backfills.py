"""Event types that are consumed for the first time get their past."""

from shared.persistence.migrations import create_backfills

revision = "0015"
down_revision = "0014"

CONSUMED_TYPES = {
    "collections.events": [
        "goodstanding.collections.PolicyPublished.v1",
    ],
    "entitlements.events": [
        "goodstanding.entitlements.SubscriptionReinstated.v1",
        "goodstanding.entitlements.SubscriptionSuspended.v1",
    ],
    "escalation.events": [
        "goodstanding.escalation.DisputeResolved.v1",
        "goodstanding.escalation.DisputeWithdrawn.v1",
    ],
}


def upgrade() -> None:
    """Note which types have been consumed so far, and make room for backfills."""
    create_backfills("invoicing", CONSUMED_TYPES)
