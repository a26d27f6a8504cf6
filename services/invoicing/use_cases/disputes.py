"""Amounts are held for disputes, and the outcome of a dispute moves the money."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from services.invoicing.domain import owed, relief
from services.invoicing.repository import accounts, credits, decided_amounts, invoices, lapses, payments
from services.invoicing.repository.accounts import Account
from services.invoicing.use_cases import balances, credit_notes, limits
from services.invoicing.use_cases.approvals import AboveLimit
from services.invoicing.use_cases.paying import Unsaved
from services.invoicing.use_cases.payments import apply_unapplied
from shared.audit import Change
from shared.database import Unit
from shared.errors import NotFound, Refusal
from shared.money import Money


class DisputeKnown(Refusal):
    """This dispute has reserved other amounts before, or is over."""

    code = "dispute_known"


class UnknownDispute(Refusal):
    """Nothing was ever reserved for this dispute, so its outcome cannot move money."""

    code = "unknown_dispute"


async def reserve(unit: Unit, dispute_id: UUID, invoice_id: UUID, lines: Sequence[tuple[int, int]]) -> None:
    """Hold amounts of lines (number, minor units) for a dispute; a repeat changes nothing.

    Raises NotFound, UnknownLine, AmountRefused, DisputeKnown.
    """
    document = await invoices.invoice_row(unit, invoice_id)
    account = await accounts.locked(unit, document.account_id)
    known = await payments.reservations_of(unit, dispute_id)
    if known:
        if known != (invoice_id, sorted(lines), True):
            raise DisputeKnown(f"dispute {dispute_id} is known with other amounts, or is over")
        unit.record_nothing()
        return
    before = await invoices.open_invoices(unit, account.id, [invoice_id])
    after = owed.reserve(before[invoice_id], lines)
    await payments.add_reservations(unit, account.id, dispute_id, invoice_id, lines)
    await balances.save_changed(unit, account.time_zone, before, {invoice_id: after})
    unit.record(Change("dispute", dispute_id, account.id))


class ReservationReleased(Refusal):
    """The amounts are reserved no more: the dispute has ended, or somebody has released them."""

    code = "reservation_released"


class UpholdingAuthorised(Refusal):
    """Somebody was authorised to uphold the dispute, so its outcome releases the amounts, and nobody else does."""

    code = "upholding_authorised"


async def release(unit: Unit, dispute_id: UUID) -> None:
    """Release what is reserved for a dispute that nobody upholds: what is open of it is dunnable again.

    Raises NotFound, ReservationReleased, UpholdingAuthorised.
    """
    invoice_id, _, _ = await held(unit, dispute_id)
    account = await accounts.locked(unit, (await invoices.invoice_row(unit, invoice_id)).account_id)
    _, lines, is_reserved = await held(unit, dispute_id)
    if not is_reserved:
        raise ReservationReleased(f"nothing is reserved for dispute {dispute_id} any more")
    if await decided_amounts.is_decided(unit, dispute_id):
        raise UpholdingAuthorised("it is being upheld: reject or withdraw the dispute instead")
    before = await invoices.open_invoices(unit, account.id, [invoice_id])
    await payments.mark_released(unit, dispute_id)
    after = owed.release(before[invoice_id], lines)
    await apply_unapplied(unit, [account], {account.id: Unsaved(before, {invoice_id: after})})
    amounts = [{"line": line, "amount_minor": minor} for line, minor in lines]
    unit.record(Change("dispute", dispute_id, account.id, {"reserved": amounts}, {"reserved": []}))


@dataclass(frozen=True, slots=True)
class Question:
    """Who would decide about a dispute, by which roles, and its lines (number, minor units)."""

    actor: str
    roles: Sequence[str]
    lines: Sequence[tuple[int, int]]
    outcome: Literal["upheld", "declined"]


async def authorise(unit: Unit, dispute_id: UUID, question: Question) -> Money:
    """Authorise the credit of what is reserved for a dispute, by the limits of a person's roles; the amount.

    To uphold it counts for the person's day as if they credited it, once, unless the dispute ends otherwise; to
    decline it gives nothing. Raises NotFound, DisputeKnown, AboveLimit.
    """
    invoice_id, lines, is_reserved = await held(unit, dispute_id)
    account = await accounts.locked(unit, (await invoices.invoice_row(unit, invoice_id)).account_id)
    invoice_id, lines, is_reserved = await held(unit, dispute_id)
    if not is_reserved or lines != sorted(question.lines):
        raise DisputeKnown(f"dispute {dispute_id} is known with other amounts, or is over")
    amount = Money(sum(minor for _, minor in lines), account.currency)
    if not await _is_authorised(unit, dispute_id, question, account, amount):
        raise AboveLimit(f"these roles may not decide about {amount}, with what was given today")
    unit.record(Change("dispute", dispute_id, account.id))
    return amount


async def _is_authorised(unit: Unit, dispute_id: UUID, question: Question, account: Account, amount: Money) -> bool:
    actor, roles = question.actor, question.roles
    if question.outcome == "declined":
        return await limits.is_within_limit(unit, roles, amount.minor, amount.currency)
    return await limits.take_limit(unit, actor, roles, limits.Gift(dispute_id, account, amount.minor))


async def settle(unit: Unit, dispute_id: UUID, *, upheld: bool) -> None:
    """End a dispute: release what it held and, if it is upheld, credit it, in one transaction.

    Raises UnknownDispute. A repeat changes nothing.
    """
    known = await payments.reservations_of(unit, dispute_id)
    if known is None:
        raise UnknownDispute(f"nothing was reserved for dispute {dispute_id}")
    invoice_id, held, is_held = known
    if not is_held:
        return
    account = await accounts.locked(unit, (await invoices.invoice_row(unit, invoice_id)).account_id)
    before = await invoices.open_invoices(unit, account.id, [invoice_id])
    after = owed.release(before[invoice_id], held)
    await payments.mark_released(unit, dispute_id)
    if not upheld:
        await decided_amounts.delete_decided(unit, dispute_id)
    else:
        credited = await _credit(unit, after, held)
        after = credited.invoice
        if credited.lines:
            why = credit_notes.Reason(credit_notes.DISPUTE, dispute_id=dispute_id)
            await credit_notes.issue(unit, account, before[invoice_id], credited, why)
    await apply_unapplied(unit, [account], {account.id: Unsaved(before, {invoice_id: after})})


async def _credit(unit: Unit, invoice: owed.Invoice, amounts: Sequence[tuple[int, int]]) -> relief.Credited:
    paid = await credits.allocations_on(unit, invoice.id)
    return relief.credit_disputed(invoice, amounts, paid, await lapses.find_worth(unit, invoice.id))


async def held(unit: Unit, dispute_id: UUID) -> tuple[UUID, list[tuple[int, int]], bool]:
    """What is reserved for a dispute, and whether it still is. Raises NotFound."""
    known = await payments.reservations_of(unit, dispute_id)
    if known is None:
        raise NotFound(f"nothing was reserved for dispute {dispute_id}")
    return known
