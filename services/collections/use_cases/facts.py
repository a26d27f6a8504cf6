"""What collections is told: accounts, balances, overdue invoices, and what was really suspended."""

from uuid import UUID

from services.collections.domain.outlook import Prospect
from services.collections.domain.suspension import SuspensionState, moved_to
from services.collections.repository import facts as repository
from services.collections.repository import suspensions
from services.collections.repository.facts import ToldBalance
from services.collections.repository.suspensions import Suspension
from services.collections.use_cases import judging, notices
from shared.base.kafka import Envelope
from shared.events.invoicing import (
    AccountRegistered,
    InvoiceBalance,
    InvoiceBalanceChanged,
    InvoiceIssued,
    InvoiceOverdue,
)
from shared.messaging.consumer import Heard
from shared.persistence.database import Unit

SUBSCRIPTION_ENDED = "the subscription has ended"
OwedEvent = InvoiceIssued | InvoiceBalanceChanged | InvoiceOverdue


async def told(unit: Unit, heard: Heard) -> None:
    """Keep what was told of accounts and their invoices, and look at each account again, once."""
    owed = [(event, envelope) for event, envelope in heard.events if isinstance(event, OwedEvent)]
    known = {event.account_id: event for event, _ in heard.events if isinstance(event, AccountRegistered)}
    accounts = [(event.account_id, event.legal_entity, event.time_zone) for event in known.values()]
    await repository.save_accounts(unit, accounts)
    await repository.save_balances(unit, [_told(event.account_id, event.balance, envelope) for event, envelope in owed])
    await repository.save_overdues(
        unit,
        [
            (event.balance.invoice_id, envelope.sequence, event.account_id, event.judged_at, envelope.id)
            for event, envelope in owed
            if isinstance(event, InvoiceOverdue)
        ],
    )
    ids = [UUID(subject) for subject in heard.last]
    await judging.follow(unit, ids, because=lambda account_id: heard.because(unit, account_id))


def _told(account_id: UUID, balance: InvoiceBalance, envelope: Envelope) -> ToldBalance:
    return ToldBalance(
        balance.invoice_id,
        account_id,
        balance.number,
        balance.currency,
        balance.due_date,
        envelope.sequence,
        envelope.time,
        balance.lines,
        envelope.id,
    )


async def suspended(unit: Unit, account_id: UUID, suspension_id: UUID, vendor_bills_on: bool) -> None:
    """The vendor has switched access off: the customer is told. An answer that comes too late changes nothing."""
    suspension = await suspensions.suspension(unit, suspension_id)
    if suspension.state is not SuspensionState.REQUESTED:
        return
    state = moved_to(suspension.state, SuspensionState.EFFECTIVE)
    await suspensions.save_state(unit, suspension_id, state)
    await suspensions.save_vendor_bills_on(unit, suspension_id, vendor_bills_on)
    prospects = await _assess_prospects(unit, suspension)
    items = notices.items_of(suspension)
    await notices.inform_of_access(unit, account_id, "suspended", suspension.subscription_id, items, prospects)
    await judging.follow(unit, [account_id])


async def _assess_prospects(unit: Unit, suspension: Suspension) -> dict[UUID, Prospect]:
    """Assess what a message states of the invoices that caused a suspension."""
    account = (await repository.facts(unit, [suspension.account_id]))[suspension.account_id]
    suspended = judging.list_suspended(account)
    judged = await judging.judged(unit, account)
    causes = [cause for cause in judged if cause.item.invoice_id in suspension.causes]
    return {cause.item.invoice_id: cause.assess_prospect(suspended) for cause in causes}


async def reinstated(unit: Unit, account_id: UUID, suspension_id: UUID) -> None:
    """Access is back: the customer is told."""
    suspension = await suspensions.suspension(unit, suspension_id)
    if suspension.state is not SuspensionState.ENDING:
        return
    await suspensions.save_state(unit, suspension_id, moved_to(suspension.state, SuspensionState.ENDED))
    await notices.inform_of_access(unit, account_id, "restored", suspension.subscription_id)


async def save_refusal(unit: Unit, suspension_id: UUID, code: str) -> None:
    """Note that a suspension was refused for good, which `standing` shows."""
    await suspensions.save_refusal(unit, suspension_id, code)


async def end_suspensions(unit: Unit, account_id: UUID, subscription_id: UUID) -> None:
    """End the suspensions of a subscription that is gone: access does not come back, so nobody is informed of it."""
    for suspension in await suspensions.suspensions_at_vendor(unit, subscription_id):
        state = moved_to(suspension.state, SuspensionState.ENDED)
        await suspensions.save_state(unit, suspension.id, state, SUBSCRIPTION_ENDED)
    if not unit.is_past:
        await judging.follow(unit, [account_id])
