"""Event types that are consumed for the first time get their past."""

from shared.persistence.migrations import create_backfills

revision = "0005"
down_revision = "0004"

CONSUMED_TYPES = {
    "invoicing.events": [
        "goodstanding.invoicing.AccountRegistered.v1",
        "goodstanding.invoicing.InvoiceBalanceChanged.v1",
        "goodstanding.invoicing.InvoiceIssued.v1",
        "goodstanding.invoicing.InvoiceOverdue.v1",
    ],
    "entitlements.events": [
        "goodstanding.entitlements.SubscriptionReinstated.v1",
        "goodstanding.entitlements.SubscriptionSuspended.v1",
    ],
}


def upgrade() -> None:
    """Note which types have been consumed so far, and make room for backfills."""
    create_backfills("collections", CONSUMED_TYPES)
