"""What collections is told: accounts, balances, overdue invoices, and what was really suspended."""

from uuid import UUID

from services.collections.domain.suspension import SuspensionState, moved_to
from services.collections.repository import facts as repository
from services.collections.repository import suspensions
from services.collections.repository.facts import ToldBalance
from services.collections.use_cases import judging, notices
from shared.database import Unit
from shared.events.invoicing import InvoiceBalance, InvoiceOverdue
from shared.kafka import Envelope


async def balance_told(unit: Unit, account_id: UUID, balance: InvoiceBalance, envelope: Envelope) -> None:
    """Keep a balance and look at the account again."""
    told = ToldBalance(
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
    await repository.save_balances(unit, [told])
    await judging.follow(unit, [account_id])


async def overdue_told(unit: Unit, event: InvoiceOverdue, envelope: Envelope) -> None:
    """Keep that an invoice is overdue, and look at the account again."""
    await repository.save_overdue(
        unit, event.account_id, event.balance.invoice_id, envelope.sequence, event.judged_at, envelope.id
    )
    await balance_told(unit, event.account_id, event.balance, envelope)


async def suspended(unit: Unit, account_id: UUID, suspension_id: UUID, vendor_bills_on: bool) -> None:
    """The vendor has switched access off: the customer is told. An answer that comes too late changes nothing."""
    suspension = await suspensions.suspension(unit, suspension_id)
    if suspension.state is not SuspensionState.REQUESTED:
        return
    state = moved_to(suspension.state, SuspensionState.EFFECTIVE)
    await suspensions.save_state(unit, suspension_id, state)
    await suspensions.save_vendor_bills_on(unit, suspension_id, vendor_bills_on)
    await notices.write(unit, account_id, "suspended", "suspended", notices.items_of(suspension))
    await judging.follow(unit, [account_id])


async def reinstated(unit: Unit, account_id: UUID, suspension_id: UUID) -> None:
    """Access is back: the customer is told."""
    suspension = await suspensions.suspension(unit, suspension_id)
    if suspension.state is not SuspensionState.ENDING:
        return
    await suspensions.save_state(unit, suspension_id, moved_to(suspension.state, SuspensionState.ENDED))
    await notices.write(unit, account_id, "restored", "restored", [])
