"""Money comes in, pays, and is sometimes taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.invoicing.domain import ledger as postings
from services.invoicing.domain import owed
from services.invoicing.domain.owed import AlreadyReversed, Paid, Payment
from services.invoicing.repository import accounts, invoices, ledger
from services.invoicing.repository import payments as repository
from services.invoicing.repository.ledger import Document
from services.invoicing.tables import AccountRow, PaymentRow
from services.invoicing.use_cases import balances
from shared.database import Unit
from shared.errors import NotFound
from shared.events.invoicing import PaymentReceived, PaymentReversed, UnappliedCashUsed
from shared.ids import new_id
from shared.money import CurrencyMismatch, Money


@dataclass(frozen=True, slots=True)
class NewPayment:
    """Money received; for a named invoice and lines of it (number, minor units), or for the oldest."""

    account_id: UUID
    amount: Money
    invoice_id: UUID | None
    lines: Sequence[tuple[int, int]]
    reference: str | None


async def receive(unit: Unit, new: NewPayment) -> PaymentRow:
    """Record a payment, allocate it, and use what is left for the oldest open invoice at once.

    Raises NotFound, CurrencyMismatch, UnknownLine, AmountRefused.
    """
    account = await accounts.account(unit, new.account_id)
    await unit.lock(account.id)
    if new.amount.currency != account.currency:
        raise CurrencyMismatch(f"the account is billed in {account.currency}, not in {new.amount.currency}")
    before = await invoices.open_invoices(unit, account.id, [new.invoice_id] if new.invoice_id else [])
    payment = Payment(new_id(), new.amount.minor, new.amount.minor, unit.now)
    named = _named(new, before, payment)
    rest = owed.use_unapplied({**before, **named.invoices}.values(), named.payments.values())
    paid = owed.merge(named, rest)
    row = await _record(unit, account, new, paid, paid.payments[payment.id])
    await balances.save_changed(unit, account.time_zone, before, paid.invoices)
    return row


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
    unit.session.add(row)
    await unit.session.flush()
    sequence = unit.publish(
        PaymentReceived(
            account_id=account.id,
            payment_id=row.id,
            amount_minor=row.amount_minor,
            currency=row.currency,
            allocations=balances.allocated(paid.allocations),
            unapplied_minor=row.unapplied_minor,
        )
    )
    await repository.add_allocations(unit, account.id, paid.allocations)
    entries = postings.received(row.amount_minor, row.amount_minor - row.unapplied_minor)
    await ledger.post(unit, account, Document("payment", row.id, sequence), entries)
    return row


def _named(new: NewPayment, open_invoices: dict[UUID, owed.Invoice], payment: Payment) -> Paid:
    if new.invoice_id is None:
        return Paid({}, {payment.id: payment})
    invoice = open_invoices.get(new.invoice_id)
    if invoice is None or invoice.account_id != new.account_id:
        raise NotFound(f"invoice_id: the account has no invoice {new.invoice_id}")
    if new.lines:
        return owed.pay_lines(invoice, payment, new.lines)
    return owed.pay_invoice(invoice, payment)


async def apply_unapplied(unit: Unit, account: AccountRow) -> None:
    """Use unapplied cash at once for the oldest open invoice; the account is locked."""
    cash = await repository.unapplied_payments(unit, account.id)
    if not cash:
        return
    before = await invoices.open_invoices(unit, account.id)
    paid = owed.use_unapplied(before.values(), cash.values())
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
            entries = postings.used(sum(one.amount for one in used))
            await ledger.post(unit, account, Document("payment", payment_id, sequence), entries)
    if paid.allocations:
        await repository.save_payments(unit, paid.payments.values())
        await repository.add_allocations(unit, account.id, paid.allocations)
        await balances.save_changed(unit, account.time_zone, before, paid.invoices)


async def reverse(unit: Unit, payment_id: UUID) -> PaymentRow:
    """Take a payment back: what it paid is open again, as a new round. Raises NotFound, AlreadyReversed."""
    account = await accounts.account(unit, (await repository.payment_row(unit, payment_id)).account_id)
    await unit.lock(account.id)
    row = await repository.payment_row(unit, payment_id)
    await unit.session.refresh(row)
    if row.state == "reversed":
        raise AlreadyReversed(f"payment {payment_id} was reversed before")
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
    entries = postings.reversed_(row.amount_minor, sum(one.amount for one in allocations))
    await ledger.post(unit, account, Document("payment", payment_id, sequence), entries)
    await balances.save_changed(unit, account.time_zone, before, owed.reverse(before, allocations))
    await apply_unapplied(unit, account)
    await unit.session.refresh(row)
    return row
