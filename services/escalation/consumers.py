"""Events that escalation consumes: accounts and invoices, credit notes, and what needs a person."""

from services.escalation import use_cases
from services.escalation.repository import clock_queries, invoicing_copies
from shared.base.kafka import MessageEnvelope
from shared.events.collections import NoticeBounced, NoticeFailed, TerminationRequested
from shared.events.entitlements import (
    EntitlementEnded,
    HoldPlaced,
    RenewalSettingsNotRestored,
    SuspensionRefusedByVendor,
    VendorSyncFailed,
)
from shared.events.invoicing import (
    AccountChanged,
    AccountRegistered,
    BusinessCalendarChanged,
    ChargebackLost,
    ChargebackOpened,
    ChargebackWon,
    CreditNoteIssued,
    DocumentFailed,
    InvoiceIssued,
    ReconciliationCompleted,
    VendorCreditReceived,
    VendorDifferenceDecided,
)
from shared.messaging.consumer import EventHandlers
from shared.persistence.database import Unit

handlers = EventHandlers()


@handlers.on(AccountRegistered)
async def consume_account_registered(unit: Unit, event: AccountRegistered, _: MessageEnvelope) -> None:
    """An account exists."""
    await invoicing_copies.save_account_copy(unit, event)


@handlers.on(AccountChanged)
async def consume_account_changed(unit: Unit, event: AccountChanged, _: MessageEnvelope) -> None:
    """An account is supported in another way."""
    await invoicing_copies.save_account_copy(unit, event)


@handlers.on(BusinessCalendarChanged)
async def consume_calendar_changed(unit: Unit, event: BusinessCalendarChanged, _: MessageEnvelope) -> None:
    """A legal entity works at other hours: the clocks of its accounts are computed anew.

    A calendar by which nothing can be computed is not saved: its event waits for a person, and the former one holds.
    """
    event.build_calendar()
    await clock_queries.save_business_calendar(unit, event)


@handlers.on(InvoiceIssued)
async def consume_invoice_issued(unit: Unit, event: InvoiceIssued, _: MessageEnvelope) -> None:
    """An invoice exists."""
    balance = event.balance
    await invoicing_copies.save_invoice_copy(
        unit, balance.invoice_id, event.account_id, balance.number, balance.currency
    )


@handlers.on(CreditNoteIssued)
async def consume_credit_note_issued(unit: Unit, event: CreditNoteIssued, _: MessageEnvelope) -> None:
    """An upheld dispute has its credit note."""
    if event.dispute_id is not None:
        await use_cases.disputes.record_dispute_credit_note(unit, event.dispute_id, event.credit_note_id, event.number)


@handlers.on(ChargebackOpened)
async def consume_chargeback_opened(unit: Unit, event: ChargebackOpened, _: MessageEnvelope) -> None:
    """A card network took money back: somebody must answer it in time."""
    await use_cases.chargebacks.open_chargeback_case(unit, event)


@handlers.on(ChargebackWon)
async def consume_chargeback_won(unit: Unit, event: ChargebackWon, _: MessageEnvelope) -> None:
    """The network gave the money back."""
    await use_cases.chargebacks.end_chargeback_case(unit, event)


@handlers.on(ChargebackLost)
async def consume_chargeback_lost(unit: Unit, event: ChargebackLost, _: MessageEnvelope) -> None:
    """The money stays with the cardholder."""
    await use_cases.chargebacks.end_chargeback_case(unit, event)


@handlers.on(SuspensionRefusedByVendor)
async def consume_suspension_refused(unit: Unit, event: SuspensionRefusedByVendor, _: MessageEnvelope) -> None:
    """The vendor will not suspend: somebody must look."""
    await use_cases.tasks.open_vendor_refusal_case(unit, event)


@handlers.on(VendorSyncFailed)
async def consume_vendor_sync_failed(unit: Unit, event: VendorSyncFailed, _: MessageEnvelope) -> None:
    """The vendor will not give what is wanted: somebody must look."""
    await use_cases.tasks.open_vendor_sync_case(unit, event)


@handlers.on(HoldPlaced)
async def consume_hold_placed(unit: Unit, event: HoldPlaced, _: MessageEnvelope) -> None:
    """A fraud hold stands: it has a case."""
    await use_cases.tasks.open_fraud_case(unit, event)


@handlers.on(EntitlementEnded)
async def consume_entitlement_ended(unit: Unit, event: EntitlementEnded, _: MessageEnvelope) -> None:
    """Access has ended before the term: a person cancels at the vendor."""
    await use_cases.tasks.open_cancellation_task(unit, event)


@handlers.on(TerminationRequested)
async def consume_termination_requested(unit: Unit, event: TerminationRequested, _: MessageEnvelope) -> None:
    """The last step of the policy is reached: a person decides."""
    await use_cases.tasks.open_termination_task(unit, event)


@handlers.on(NoticeFailed)
async def consume_notice_failed(unit: Unit, event: NoticeFailed, _: MessageEnvelope) -> None:
    """A customer cannot be reached by mail: a person must."""
    await use_cases.tasks.open_unreachable_customer_task(unit, event)


@handlers.on(NoticeBounced)
async def consume_notice_bounced(unit: Unit, event: NoticeBounced, _: MessageEnvelope) -> None:
    """A notice came back: a person must reach the customer."""
    await use_cases.tasks.open_unreachable_customer_task(unit, event)


@handlers.on(DocumentFailed)
async def consume_document_failed(unit: Unit, event: DocumentFailed, _: MessageEnvelope) -> None:
    """A customer's invoice cannot be delivered by mail: a person must reach them."""
    await use_cases.tasks.open_undelivered_invoice_task(unit, event)


@handlers.on(ReconciliationCompleted)
async def consume_reconciliation_completed(unit: Unit, event: ReconciliationCompleted, _: MessageEnvelope) -> None:
    """The vendor bills something else than was expected."""
    await use_cases.tasks.open_large_difference_task(unit, event)


@handlers.on(VendorDifferenceDecided)
async def consume_vendor_difference_decided(unit: Unit, event: VendorDifferenceDecided, _: MessageEnvelope) -> None:
    """A difference shall be disputed with the vendor."""
    await use_cases.tasks.open_vendor_dispute_task(unit, event)


@handlers.on(RenewalSettingsNotRestored)
async def consume_renewal_not_restored(unit: Unit, event: RenewalSettingsNotRestored, _: MessageEnvelope) -> None:
    """Renewal settings are lost, which costs money at the end of the term: somebody must look."""
    await use_cases.tasks.open_lost_renewal_case(unit, event)


@handlers.on(VendorCreditReceived)
async def consume_vendor_credit_received(unit: Unit, event: VendorCreditReceived, _: MessageEnvelope) -> None:
    """The vendor credits us: somebody matches it with what was asked for."""
    await use_cases.credit_matching.record_vendor_credits(unit, event)
