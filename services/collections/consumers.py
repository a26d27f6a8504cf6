"""What collections hears: what is owed, and what was really suspended."""

from services.collections import use_cases
from services.collections.repository import facts as repository
from shared.consumer import Handlers
from shared.database import Unit
from shared.events.entitlements import SubscriptionReinstated, SubscriptionSuspended
from shared.events.invoicing import AccountRegistered, InvoiceBalanceChanged, InvoiceIssued, InvoiceOverdue
from shared.kafka import Envelope

handlers = Handlers()


@handlers.on(AccountRegistered)
async def account_registered(unit: Unit, event: AccountRegistered, _: Envelope) -> None:
    """Keep the time zone, in which its steps are judged."""
    await repository.save_account(unit, event.account_id, event.legal_entity, event.time_zone)


@handlers.on(InvoiceIssued)
async def invoice_issued(unit: Unit, event: InvoiceIssued, envelope: Envelope) -> None:
    """The first balance of an invoice."""
    await use_cases.facts.balance_told(unit, event.account_id, event.balance, envelope)


@handlers.on(InvoiceBalanceChanged)
async def invoice_balance_changed(unit: Unit, event: InvoiceBalanceChanged, envelope: Envelope) -> None:
    """The balance of an invoice; what it means is judged from all facts, not from the difference."""
    await use_cases.facts.balance_told(unit, event.account_id, event.balance, envelope)


@handlers.on(InvoiceOverdue)
async def invoice_overdue(unit: Unit, event: InvoiceOverdue, envelope: Envelope) -> None:
    """An invoice is overdue."""
    await use_cases.facts.overdue_told(unit, event, envelope)


@handlers.on(SubscriptionSuspended)
async def subscription_suspended(unit: Unit, event: SubscriptionSuspended, _: Envelope) -> None:
    """A suspension is effective at the vendor; those for other reasons than non-payment are not ours."""
    if event.suspension_id is not None:
        await use_cases.facts.suspended(unit, event.account_id, event.suspension_id, event.vendor_bills_on)


@handlers.on(SubscriptionReinstated)
async def subscription_reinstated(unit: Unit, event: SubscriptionReinstated, _: Envelope) -> None:
    """Access is back."""
    if event.suspension_id is not None:
        await use_cases.facts.reinstated(unit, event.account_id, event.suspension_id)
