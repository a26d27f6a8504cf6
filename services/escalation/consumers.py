"""What escalation hears: which accounts and invoices there are, credit notes, and vendor failures."""

from services.escalation import use_cases
from services.escalation.repository import disputes, known
from shared.consumer import Handlers
from shared.database import Unit
from shared.events.entitlements import RenewalSettingsNotRestored, SuspensionRefusedByVendor, VendorSyncFailed
from shared.events.invoicing import AccountRegistered, CreditNoteIssued, InvoiceIssued
from shared.kafka import Envelope

handlers = Handlers()


@handlers.on(AccountRegistered)
async def account_registered(unit: Unit, event: AccountRegistered, _: Envelope) -> None:
    """An account exists."""
    await known.save_account(unit, event.account_id, event.currency)


@handlers.on(InvoiceIssued)
async def invoice_issued(unit: Unit, event: InvoiceIssued, _: Envelope) -> None:
    """An invoice exists."""
    balance = event.balance
    await known.save_invoice(unit, balance.invoice_id, event.account_id, balance.number, balance.currency)


@handlers.on(CreditNoteIssued)
async def credit_note_issued(unit: Unit, event: CreditNoteIssued, _: Envelope) -> None:
    """An upheld dispute has its credit note."""
    if event.dispute_id is not None:
        await disputes.save_credit_note(unit, event.dispute_id, event.credit_note_id)


@handlers.on(SuspensionRefusedByVendor)
async def suspension_refused(unit: Unit, event: SuspensionRefusedByVendor, _: Envelope) -> None:
    """The vendor will not suspend: somebody must look."""
    cause = f"vendor:{event.subscription_id}:suspension_refused"
    subject = f"the vendor refuses to suspend a subscription ({event.vendor_code})"
    await use_cases.cases.open_by_itself(unit, event.account_id, cause, subject)


@handlers.on(VendorSyncFailed)
async def vendor_sync_failed(unit: Unit, event: VendorSyncFailed, _: Envelope) -> None:
    """The vendor will not give what is wanted: somebody must look."""
    cause = f"vendor:{event.subscription_id}:sync_failed"
    subject = f"the vendor refuses to make a subscription {event.wanted} ({event.vendor_code})"
    await use_cases.cases.open_by_itself(unit, event.account_id, cause, subject)


@handlers.on(RenewalSettingsNotRestored)
async def renewal_not_restored(unit: Unit, event: RenewalSettingsNotRestored, _: Envelope) -> None:
    """Renewal settings are lost, which costs money at the end of the term: somebody must look."""
    cause = f"vendor:{event.subscription_id}:renewal_not_restored"
    subject = f"renewal settings were not restored: {', '.join(event.missing)}"
    await use_cases.cases.open_by_itself(unit, event.account_id, cause, subject)
