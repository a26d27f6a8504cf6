"""Money comes in, pays, and is sometimes taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.invoicing.domain import ledger as postings
from services.invoicing.domain import owed, relief
from services.invoicing.domain.owed import Allocation, AlreadyReversed, Paid, Payment
from services.invoicing.repository import accounts, approvals, credits, invoices, ledger
from services.invoicing.repository import payments as repository
from services.invoicing.repository.ledger import Document
from services.invoicing.tables import AccountRow, PaymentRow
from services.invoicing.use_cases import balances
from shared.database import Unit
from shared.errors import NotFound, Refusal
from shared.events.invoicing import PaymentReceived, PaymentReversed, SmallBalanceCleared, UnappliedCashUsed
from shared.ids import new_id
from shared.money import CurrencyMismatch, Money


class CashRefunded(Refusal):
    """What of the payment was unapplied is held for a refund, or was paid back."""

    code = "cash_refunded"


class NothingUnapplied(Refusal):
    """The payment has no unapplied cash."""

    code = "nothing_unapplied"


@dataclass(frozen=True, slots=True)
class NewPayment:
    """Money received: for a named invoice and lines of it (number, minor units), by the customer's remittance
    (invoice number, minor units), or for the oldest.
    """

    account_id: UUID
    amount: Money
    invoice_id: UUID | None
    lines: Sequence[tuple[int, int]]
    reference: str | None
    remittance: Sequence[tuple[str, int]] = ()
    debit_id: UUID | None = None


async def receive(unit: Unit, new: NewPayment) -> PaymentRow:
    """Record a payment, allocate it, and use what is left for the oldest open invoice at once.

    Raises NotFound, CurrencyMismatch, UnknownLine, AmountRefused.
    """
    account = await accounts.locked(unit, new.account_id)
    if new.amount.currency != account.currency:
        raise CurrencyMismatch(f"the account is billed in {account.currency}, not in {new.amount.currency}")
    advice = await _advice(unit, new)
    named_ids = [new.invoice_id] if new.invoice_id else [invoice_id for invoice_id, _ in advice]
    before = await invoices.open_invoices(unit, account.id, named_ids)
    payment = Payment(new_id(), new.amount.minor, new.amount.minor, unit.now)
    named = owed.pay_by_remittance(before, payment, advice) if advice else _named(new, before, payment)
    rest = owed.use_unapplied({**before, **named.invoices}.values(), named.payments.values())
    paid = owed.merge(named, rest)
    row = await _record(unit, account, new, paid, paid.payments[payment.id])
    await _save(unit, account, before, paid)
    return row


async def _advice(unit: Unit, new: NewPayment) -> list[tuple[UUID, int]]:
    """The remittance by the ids of its invoices. Raises NotFound."""
    if not new.remittance:
        return []
    known = await repository.invoices_by_number(unit, new.account_id, [number for number, _ in new.remittance])
    for number, _ in new.remittance:
        if number not in known:
            raise NotFound(f"remittance: the account has no invoice {number}")
    return [(known[number], amount) for number, amount in new.remittance]


async def _record(unit: Unit, account: AccountRow, new: NewPayment, paid: Paid, payment: Payment) -> PaymentRow:
    """Write the payment with what it paid, say so, and post it."""
    row = PaymentRow(
        id=payment.id,
        account_id=account.id,
        amount_minor=payment.amount,
        currency=account.currency,
        reference=new.reference,
        unapplied_minor=payment.unapplied,
        state="received",
        received_at=unit.now,
    )
    sequence = unit.publish(
        PaymentReceived(
            account_id=account.id,
            payment_id=row.id,
            amount_minor=row.amount_minor,
            currency=row.currency,
            allocations=balances.allocated(paid.allocations),
            unapplied_minor=row.unapplied_minor,
            debit_id=new.debit_id,
        )
    )
    entries = postings.received(row.amount_minor, *_split(paid.allocations))
    await repository.add(unit, row, account.legal_entity, sequence, entries, paid.allocations)
    return row


def _split(allocations: Sequence[Allocation]) -> tuple[int, int]:
    """What of it pays what is open, and what recovers what had been written off."""
    recovered = sum(one.amount for one in allocations if one.is_recovery)
    return sum(one.amount for one in allocations) - recovered, recovered


def _named(new: NewPayment, open_invoices: dict[UUID, owed.Invoice], payment: Payment) -> Paid:
    if new.invoice_id is None:
        return Paid({}, {payment.id: payment})
    return _pay_named(new.account_id, open_invoices.get(new.invoice_id), payment, new.invoice_id, new.lines)


def _pay_named(
    account_id: UUID, invoice: owed.Invoice | None, payment: Payment, invoice_id: UUID, lines: Sequence[tuple[int, int]]
) -> Paid:
    """Pay a named invoice, or lines of it; a whole one that was written off, too. Raises NotFound."""
    if invoice is None or invoice.account_id != account_id:
        raise NotFound(f"invoice_id: the account has no invoice {invoice_id}")
    if lines:
        return owed.pay_lines(invoice, payment, lines)
    return relief.pay_named(invoice, payment)


async def _save(unit: Unit, account: AccountRow, before: Mapping[UUID, owed.Invoice], paid: Paid) -> None:
    """Save what was paid; a rest of it within the tolerance is let go."""
    touched = {one.invoice_id for one in paid.allocations}
    left = [paid.invoices[id_] for id_ in touched if paid.invoices[id_].open > 0]
    after = dict(paid.invoices)
    if left:
        tolerance = await credits.tolerance(unit, account.legal_entity, account.currency)
        for invoice in left:
            after[invoice.id] = await _clear(unit, account, invoice, tolerance)
    await balances.save_changed(unit, account.time_zone, before, after)


async def _clear(unit: Unit, account: AccountRow, invoice: owed.Invoice, tolerance: int) -> owed.Invoice:
    settled, lines = relief.clear_small(invoice, tolerance)
    if lines:
        amount = sum(share for _, share in lines)
        sequence = unit.publish(
            SmallBalanceCleared(
                account_id=account.id,
                invoice_id=invoice.id,
                number=invoice.number,
                amount_minor=amount,
                currency=account.currency,
            )
        )
        await ledger.post(unit, account, Document("small_balance", invoice.id, sequence), postings.cleared(amount))
    return settled


async def apply(unit: Unit, payment_id: UUID, invoice_id: UUID, lines: Sequence[tuple[int, int]]) -> PaymentRow:
    """Use unapplied cash of a payment for a named invoice, or lines of it, though it is disputed.

    Raises NotFound, NothingUnapplied, UnknownLine, AmountRefused.
    """
    account = await accounts.account(unit, (await repository.payment_row(unit, payment_id)).account_id)
    await unit.lock(account.id)
    cash = await repository.unapplied_payments(unit, account.id)
    if payment_id not in cash:
        raise NothingUnapplied(f"payment {payment_id} has no unapplied cash")
    before = await invoices.open_invoices(unit, account.id, [invoice_id])
    paid = _pay_named(account.id, before.get(invoice_id), cash[payment_id], invoice_id, lines)
    await _use(unit, account, before, paid)
    return await repository.payment_row(unit, payment_id, fresh=True)


async def apply_unapplied(unit: Unit, account: AccountRow) -> None:
    """Use unapplied cash at once for the oldest open invoice; the account is locked."""
    cash = await repository.unapplied_payments(unit, account.id)
    if not cash:
        return
    before = await invoices.open_invoices(unit, account.id)
    await _use(unit, account, before, owed.use_unapplied(before.values(), cash.values()))


async def _use(unit: Unit, account: AccountRow, before: Mapping[UUID, owed.Invoice], paid: Paid) -> None:
    """Record what unapplied cash paid, payment by payment."""
    for payment_id, payment in paid.payments.items():
        used = tuple(one for one in paid.allocations if one.payment_id == payment_id)
        if used:
            sequence = unit.publish(
                UnappliedCashUsed(
                    account_id=account.id,
                    payment_id=payment_id,
                    currency=account.currency,
                    allocations=balances.allocated(used),
                    unapplied_minor=payment.unapplied,
                )
            )
            await ledger.post(unit, account, Document("payment", payment_id, sequence), postings.used(*_split(used)))
    if paid.allocations:
        await repository.save_payments(unit, paid.payments.values())
        await repository.add_allocations(unit, account.id, paid.allocations)
        await _save(unit, account, before, paid)


async def reverse(unit: Unit, payment_id: UUID) -> PaymentRow:
    """Take a payment back: what it paid is open again, as a new round.

    Raises NotFound, AlreadyReversed, CashRefunded.
    """
    account = await accounts.account(unit, (await repository.payment_row(unit, payment_id)).account_id)
    await unit.lock(account.id)
    row = await repository.payment_row(unit, payment_id, fresh=True)
    if row.state == "reversed":
        raise AlreadyReversed(f"payment {payment_id} was reversed before")
    if await approvals.is_refunding(unit, payment_id):
        raise CashRefunded(f"unapplied cash of payment {payment_id} is held for a refund, or was paid back")
    allocations = await repository.allocations_of(unit, payment_id)
    before = await invoices.open_invoices(unit, account.id, {one.invoice_id for one in allocations})
    await repository.mark_reversed(unit, payment_id)
    sequence = unit.publish(
        PaymentReversed(
            account_id=account.id,
            payment_id=payment_id,
            amount_minor=row.amount_minor,
            currency=row.currency,
            reopened=balances.allocated(tuple(allocations)),
        )
    )
    entries = postings.reversed_(row.amount_minor, *_split(allocations))
    await ledger.post(unit, account, Document("payment", payment_id, sequence), entries)
    await balances.save_changed(unit, account.time_zone, before, owed.reverse(before, allocations))
    await apply_unapplied(unit, account)
    return await repository.payment_row(unit, payment_id, fresh=True)
