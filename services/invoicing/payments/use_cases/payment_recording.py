"""Money comes in, and pays."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.ledger import domain as ledger_domain
from services.invoicing.ledger.repository import ledger_queries
from services.invoicing.ledger.repository.ledger_queries import LedgerDocument
from services.invoicing.payments.domain import payment_rules
from services.invoicing.payments.repository import payment_queries
from services.invoicing.payments.repository.payment_queries import RecordedPayment
from services.invoicing.payments.tables.payment_tables import PaymentRow
from services.invoicing.payments.use_cases.payment_effects import (
    PaymentEffect,
    UnsavedAccountInvoices,
    save_payment_effects,
    split_recoveries,
)
from services.invoicing.receivables.domain import invoice_balances
from services.invoicing.receivables.domain.invoice_balances import PaidInvoicesAndPayments, Payment
from services.invoicing.receivables.repository import invoice_queries
from services.invoicing.receivables.use_cases import balance_updates
from shared.events.invoicing import PaymentReceived, UnappliedCashUsed
from shared.persistence import audit
from shared.persistence.database import Unit
from shared.pure.errors import NotFound, Refusal
from shared.pure.ids import new_id
from shared.pure.money import CurrencyMismatch, Money


class NoUnappliedCash(Refusal):
    """The payment has no unapplied cash."""

    code = "nothing_unapplied"


NOTHING_UNSAVED = UnsavedAccountInvoices({}, {})
NO_ACCOUNTS: Mapping[UUID, UnsavedAccountInvoices] = {}


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


async def record_received_payment(
    unit: Unit, new: NewPayment, unsaved: UnsavedAccountInvoices = NOTHING_UNSAVED
) -> RecordedPayment:
    """Record a payment, allocate it, and use what is left for the oldest open invoice at once.

    Raises NotFound, CurrencyMismatch, UnknownInvoiceLine, AmountAboveBalance.
    """
    (outcome,) = await record_received_payments(unit, [new], {new.account_id: unsaved})
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


async def record_received_payments(
    unit: Unit, news: Sequence[NewPayment], unsaved: Mapping[UUID, UnsavedAccountInvoices] = NO_ACCOUNTS
) -> list[RecordedPayment | Refusal]:
    """Receive payments of different accounts; of one that is refused nothing is left, and the others stand.

    `unsaved` are invoices that the unit changed before, by account.
    """
    locked_accounts = await account_queries.lock_accounts(unit, [new.account_id for new in news])
    invoices_by_number = await _known_by_number(unit, news)
    named = [new.invoice_id for new in news if new.invoice_id]
    before = await invoice_queries.map_account_open_invoices(
        unit, locked_accounts, [*named, *invoices_by_number.values()]
    )
    outcomes: list[RecordedPayment | Refusal] = []
    changes = []
    for new in news:
        try:
            payment = Payment(new_id(), new.amount.minor, new.amount.minor, unit.now)
            invoices_before = before.get(new.account_id, {})
            changed = unsaved.get(new.account_id, NOTHING_UNSAVED)
            change = _allocate(
                new, payment, locked_accounts.get(new.account_id), invoices_before, changed, invoices_by_number
            )
        except Refusal as refusal:
            outcomes.append(refusal)
        else:
            changes.append((new, change, _build_recorded(new, change.paid.payments[payment.id])))
            outcomes.append(changes[-1][-1])
    await _record(unit, changes)
    return outcomes


async def _known_by_number(unit: Unit, news: Sequence[NewPayment]) -> dict[tuple[UUID, str], UUID]:
    """The invoices that remittances name."""
    named = [(new.account_id, number) for new in news for number, _ in new.remittance]
    return await payment_queries.map_invoices_by_number(unit, named) if named else {}


def _allocate(
    new: NewPayment,
    payment: Payment,
    account: LockedAccount | None,
    before: Mapping[UUID, invoice_balances.Invoice],
    unsaved: UnsavedAccountInvoices,
    invoices_by_number: Mapping[tuple[UUID, str], UUID],
) -> PaymentEffect:
    """Allocate a new payment. Raises NotFound, CurrencyMismatch, UnknownInvoiceLine, AmountAboveBalance."""
    if account is None:
        raise NotFound(f"there is no account {new.account_id}")
    if new.amount.currency != account.currency:
        raise CurrencyMismatch(f"the account is billed in {account.currency}, not in {new.amount.currency}")
    current = {**before, **unsaved.after}
    if new.remittance:
        named = invoice_balances.pay_by_remittance_advice(current, payment, _advice(new, invoices_by_number))
    else:
        named = _pay_named_invoice(new, current, payment)
    rest = invoice_balances.allocate_unapplied_cash({**current, **named.invoices}.values(), named.payments.values())
    return PaymentEffect(account, {**before, **unsaved.before}, invoice_balances.merge_paid_invoices(named, rest))


def _advice(new: NewPayment, invoices_by_number: Mapping[tuple[UUID, str], UUID]) -> list[tuple[UUID, int]]:
    """The remittance by the ids of its invoices. Raises NotFound."""
    for number, _ in new.remittance:
        if (new.account_id, number) not in invoices_by_number:
            raise NotFound(f"remittance: the account has no invoice {number}")
    return [(invoices_by_number[new.account_id, number], amount) for number, amount in new.remittance]


def _build_recorded(new: NewPayment, payment: Payment) -> RecordedPayment:
    return RecordedPayment(
        payment.id,
        new.account_id,
        payment.amount,
        new.amount.currency,
        new.reference,
        payment.unapplied,
        payment.received_at,
    )


async def _record(unit: Unit, received: Sequence[tuple[NewPayment, PaymentEffect, RecordedPayment]]) -> None:
    """Write payments with what they paid, say so, and post them."""
    posted, allocations = [], []
    for new, change, payment in received:
        allocated = change.paid.allocations
        sequence = unit.publish(
            PaymentReceived(
                account_id=payment.account_id,
                payment_id=payment.id,
                amount_minor=payment.amount_minor,
                currency=payment.currency,
                allocations=balance_updates.build_allocation_fields(allocated),
                unapplied_minor=payment.unapplied_minor,
                debit_id=new.debit_id,
            )
        )
        entries = ledger_domain.build_payment_entries(payment.amount_minor, *split_recoveries(allocated))
        posted.append((change.account, LedgerDocument("payment", payment.id, sequence), entries))
        allocations += [(payment.account_id, allocation) for allocation in allocated]
    if received:
        await payment_queries.insert_payments_with_postings(
            unit, [payment for *_, payment in received], posted, allocations
        )
        await save_payment_effects(unit, [change for _, change, _ in received])


def _pay_named_invoice(
    new: NewPayment, open_invoices: Mapping[UUID, invoice_balances.Invoice], payment: Payment
) -> PaidInvoicesAndPayments:
    if new.invoice_id is None:
        return PaidInvoicesAndPayments({}, {payment.id: payment})
    return _pay_named(open_invoices, payment, new.invoice_id, new.lines)


def _pay_named(
    before: Mapping[UUID, invoice_balances.Invoice],
    payment: Payment,
    invoice_id: UUID,
    lines: Sequence[tuple[int, int]],
) -> PaidInvoicesAndPayments:
    """Pay a named invoice, or lines of it; a whole one that was written off, too. Raises NotFound."""
    invoice = before.get(invoice_id)
    if invoice is None:
        raise NotFound(f"invoice_id: the account has no invoice {invoice_id}")
    if lines:
        return invoice_balances.pay_invoice_lines(invoice, payment, lines)
    return payment_rules.pay_named_invoice(invoice, payment)


async def apply_payment_to_invoice(
    unit: Unit, payment_id: UUID, invoice_id: UUID, lines: Sequence[tuple[int, int]]
) -> PaymentRow:
    """Use unapplied cash of a payment for a named invoice, or lines of it, though it is disputed.

    Raises NotFound, NoUnappliedCash, UnknownInvoiceLine, AmountAboveBalance.
    """
    account = await account_queries.lock_account(unit, (await payment_queries.get_payment(unit, payment_id)).account_id)
    cash = await payment_queries.map_payments_with_cash(unit, account.id)
    if payment_id not in cash:
        raise NoUnappliedCash(f"payment {payment_id} has no unapplied cash")
    before = await invoice_queries.map_open_invoices(unit, account.id, [invoice_id])
    paid = _pay_named(before, cash[payment_id], invoice_id, lines)
    former = (await payment_queries.get_payment(unit, payment_id, fresh=True)).model_dump()
    change = PaymentEffect(account, before, paid)
    await _record_used(unit, [change])
    await save_payment_effects(unit, [change])
    row = await payment_queries.get_payment(unit, payment_id, fresh=True)
    unit.record(audit.AuditedChange("payment", payment_id, account.id, former, row.model_dump()))
    return row


async def apply_unapplied_cash(
    unit: Unit, locked_accounts: Collection[LockedAccount], unsaved: Mapping[UUID, UnsavedAccountInvoices] = NO_ACCOUNTS
) -> None:
    """Use unapplied cash of these accounts at once, each for its oldest open invoice.

    `unsaved` are invoices that the unit changed before, by account: they are saved with what the cash pays of them,
    and each balance is published once, as it ends.
    """
    cash = await payment_queries.map_account_unapplied_payments(unit, [account.id for account in locked_accounts])
    before = await invoice_queries.map_account_open_invoices(unit, cash) if cash else {}
    changes = []
    for account in locked_accounts:
        invoices_before, changed = before.get(account.id, {}), unsaved.get(account.id, NOTHING_UNSAVED)
        paid = invoice_balances.allocate_unapplied_cash(
            {**invoices_before, **changed.after}.values(), cash.get(account.id, {}).values()
        )
        changes.append(PaymentEffect(account, {**invoices_before, **changed.before}, paid))
    await _record_used(unit, [change for change in changes if change.paid.allocations])
    await save_payment_effects(
        unit, [change for change in changes if change.paid.allocations or change.account.id in unsaved]
    )


async def _record_used(unit: Unit, used: Sequence[PaymentEffect]) -> None:
    """Record what unapplied cash paid, payment by payment; saving the invoices is the caller's."""
    if not used:
        return
    await ledger_queries.post_documents_of_accounts(
        unit, [posting for change in used for posting in _tell_used(unit, change)]
    )
    await payment_queries.save_unapplied_cash_amounts(
        unit, [payment for change in used for payment in change.paid.payments.values()]
    )
    allocations = [(change.account.id, allocation) for change in used for allocation in change.paid.allocations]
    await payment_queries.insert_payment_allocations(unit, allocations)


def _tell_used(unit: Unit, change: PaymentEffect) -> Iterator[ledger_queries.Posting]:
    account = change.account
    for payment_id, payment in change.paid.payments.items():
        used = tuple(allocation for allocation in change.paid.allocations if allocation.payment_id == payment_id)
        if used:
            sequence = unit.publish(
                UnappliedCashUsed(
                    account_id=account.id,
                    payment_id=payment_id,
                    currency=account.currency,
                    allocations=balance_updates.build_allocation_fields(used),
                    unapplied_minor=payment.unapplied,
                )
            )
            yield (
                account,
                LedgerDocument("payment", payment_id, sequence),
                ledger_domain.build_allocation_entries(*split_recoveries(used)),
            )
