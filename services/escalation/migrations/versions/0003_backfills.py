"""Event types that are consumed for the first time get their past."""

from shared.persistence.migrations import create_backfills

revision = "0003"
down_revision = "0002"

CONSUMED_TYPES = {
    "entitlements.events": [
        "goodstanding.entitlements.RenewalSettingsNotRestored.v1",
        "goodstanding.entitlements.SuspensionRefusedByVendor.v1",
        "goodstanding.entitlements.VendorSyncFailed.v1",
    ],
    "invoicing.events": [
        "goodstanding.invoicing.AccountRegistered.v1",
        "goodstanding.invoicing.CreditNoteIssued.v1",
        "goodstanding.invoicing.InvoiceIssued.v1",
    ],
}


def upgrade() -> None:
    """Note which types have been consumed so far, and make room for backfills."""
    create_backfills("escalation", CONSUMED_TYPES)
