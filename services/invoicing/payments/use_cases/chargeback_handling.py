"""Chargebacks: a card network takes money of a payment back, and decides whose it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.ledger.domain import Entries, build_payment_entries, build_payment_reversal_entries
from services.invoicing.ledger.repository import ledger_queries
from services.invoicing.ledger.repository.ledger_queries import LedgerDocument
from services.invoicing.payments.domain.chargebacks import (
    CHARGEBACK_ALLOWED,
    ChargebackState,
    ChargedBackPart,
    PaidLineAmount,
    is_same_charged_part,
    pay_won_chargeback_lines,
    release_charged_back_lines,
    reopen_charged_back_lines,
    take_charged_back_part,
)
from services.invoicing.payments.repository import chargeback_queries, payment_queries
from services.invoicing.payments.tables.chargeback_tables import ChargebackReasonRow, ChargebackRow
from services.invoicing.payments.tables.payment_tables import PaymentRow
from services.invoicing.payments.use_cases.payment_effects import UnsavedAccountInvoices, split_recoveries
from services.invoicing.payments.use_cases.payment_recording import apply_unapplied_cash
from services.invoicing.receivables.domain.invoice_balances import (
    Invoice,
    PaidInvoicesAndPayments,
    Payment,
    PaymentAlreadyReversed,
)
from services.invoicing.receivables.repository import invoice_queries
from services.invoicing.receivables.use_cases import balance_updates
from services.invoicing.settings.domain.approval_states import check_state_move
from shared.events.invoicing import ChargebackEvent, ChargebackLost, ChargebackOpened, ChargebackWon
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date
from shared.pure.errors import Refusal
from shared.pure.ids import new_id
from shared.pure.money import CurrencyMismatch, Money


class ChargebackReferenceKnown(Refusal):
    """The network's reference is that of another chargeback, or of this one with other contents."""

    code = "chargeback_known"


class ChargebackDateRefused(Refusal):
    """A network does not take money back in the future."""

    code = "date_refused"
    status = 422


class UnknownChargebackReason(Refusal):
    """There is no such reason of chargebacks, or it is used no more."""

    code = "unknown_chargeback_reason"
    status = 422


@dataclass(frozen=True, slots=True)
class NewChargeback:
    """Money that a card network took of a payment; without wanted parts, its unapplied cash and newest allocations."""

    payment_id: UUID
    amount: Money
    network_reference: str
    reason_code: str
    booked_on: date
    answer_by: date
    wanted: Sequence[PaidLineAmount] = ()
    network_fee_minor: int | None = None


async def change_chargeback_reason(unit: Unit, row: ChargebackReasonRow) -> ChargebackReasonRow:
    """Keep a reason of chargebacks, new or changed; chargebacks that are there keep it."""
    before = await chargeback_queries.put_chargeback_reason_row(unit, row)
    unit.record(AuditedChange("chargeback_reason", row.code, None, before, row.model_dump()))
    return row


async def open_chargeback(unit: Unit, new: NewChargeback) -> ChargebackRow:
    """Reverse a part of a payment and reserve what it reopens, in one step; the stored one for a repeat.

    Raises NotFound, CurrencyMismatch, AmountAboveBalance, PaymentAlreadyReversed, ChargebackDateRefused,
    ChargebackReferenceKnown, UnknownChargebackReason.
    """
    account = await account_queries.lock_account(
        unit, (await payment_queries.get_payment(unit, new.payment_id)).account_id
    )
    if stored := await chargeback_queries.find_chargeback_by_reference(unit, new.network_reference):
        await _check_repeated(unit, stored, new)
        unit.record_nothing()
        return stored
    _check_booking(new.booked_on, get_local_date(unit.now, ZoneInfo(account.time_zone)))
    reason = await _find_used_reason(unit, new.reason_code)
    payment = await payment_queries.get_payment(unit, new.payment_id, fresh=True)
    part = await _take_part(unit, payment, new)
    row = _build_row(unit, account, new, part)
    if not await chargeback_queries.insert_chargeback(unit, row, part):
        raise ChargebackReferenceKnown(f"the network's reference {new.network_reference} is that of another chargeback")
    await chargeback_queries.take_chargeback_from_payment(unit, payment.id, part, row.amount_minor)
    opened = ChargebackOpened(
        **_identify(row),
        reason_code=row.reason_code,
        is_fraud=reason.is_fraud,
        answer_by=row.answer_by,
        warn_days=reason.warn_days,
        reopened_amounts=balance_updates.build_allocation_fields(part.allocations),
        cash_minor=part.cash,
    )
    await _announce(
        unit, account, opened, build_payment_reversal_entries(row.amount_minor, *split_recoveries(part.allocations))
    )
    before = await _load_invoices(unit, account, part)
    await apply_unapplied_cash(
        unit, [account], {account.id: UnsavedAccountInvoices(before, reopen_charged_back_lines(before, part))}
    )
    unit.record(AuditedChange("chargeback", row.id, account.id))
    return row


def _check_booking(booked_on: date, today: date) -> None:
    if booked_on > today:
        raise ChargebackDateRefused(f"booked_on: {booked_on} is in the future; it is {today} where the account is")


async def _find_used_reason(unit: Unit, code: str) -> ChargebackReasonRow:
    reason = await chargeback_queries.find_chargeback_reason(unit, code)
    if reason is None or not reason.is_active:
        raise UnknownChargebackReason(f"reason_code: there is no {code} that is used")
    return reason


async def _check_repeated(unit: Unit, stored: ChargebackRow, new: NewChargeback) -> None:
    is_same = is_same_charged_part(await chargeback_queries.load_charged_back_part(unit, stored), new.wanted)
    wanted = (new.payment_id, new.amount.minor, new.amount.currency)
    kept = (stored.payment_id, stored.amount_minor, stored.currency)
    named = ("reason_code", "booked_on", "answer_by", "network_fee_minor")
    if kept != wanted or not is_same or any(getattr(stored, name) != getattr(new, name) for name in named):
        raise ChargebackReferenceKnown(f"the network's reference {new.network_reference} is known with other contents")


async def _take_part(unit: Unit, payment: PaymentRow, new: NewChargeback) -> ChargedBackPart:
    if payment.state == "reversed":
        raise PaymentAlreadyReversed(f"payment {payment.id} was reversed before")
    if new.amount.currency != payment.currency:
        raise CurrencyMismatch(f"the payment is in {payment.currency}, not in {new.amount.currency}")
    paying = await payment_queries.list_allocations_of_payment(unit, payment.id)
    return take_charged_back_part(_build_payment(payment), paying, new.amount.minor, new.wanted)


def _build_payment(row: PaymentRow) -> Payment:
    return Payment(row.id, row.amount_minor, row.unapplied_minor, row.received_at)


def _build_row(unit: Unit, account: LockedAccount, new: NewChargeback, part: ChargedBackPart) -> ChargebackRow:
    return ChargebackRow(
        id=new_id(),
        account_id=account.id,
        payment_id=new.payment_id,
        network_reference=new.network_reference,
        reason_code=new.reason_code,
        amount_minor=new.amount.minor,
        cash_minor=part.cash,
        currency=new.amount.currency,
        booked_on=new.booked_on,
        answer_by=new.answer_by,
        state=ChargebackState.OPEN,
        opened_at=unit.now,
        decided_at=None,
        network_fee_minor=new.network_fee_minor,
    )


async def win_chargeback(unit: Unit, chargeback_id: UUID) -> ChargebackRow:
    """Book the money again on what it had paid; what is not owed there any more is unapplied cash.

    Raises NotFound, StateMoveRefused.
    """
    row, account = await _lock_chargeback(unit, chargeback_id)
    former, part = row.model_dump(), await chargeback_queries.load_charged_back_part(unit, row)
    await _decide(unit, row, ChargebackState.WON)
    await chargeback_queries.return_chargeback_to_payment(unit, row.payment_id, row.amount_minor)
    payment = _build_payment(await payment_queries.get_payment(unit, row.payment_id, fresh=True))
    before = await _load_invoices(unit, account, part)
    paid = pay_won_chargeback_lines(before, payment, part)
    won = ChargebackWon(
        **_identify(row),
        allocations=balance_updates.build_allocation_fields(paid.allocations),
        unapplied_minor=row.amount_minor - sum(allocation.amount for allocation in paid.allocations),
    )
    await _announce(unit, account, won, build_payment_entries(row.amount_minor, *split_recoveries(paid.allocations)))
    await _save_paid(unit, account, paid)
    await apply_unapplied_cash(unit, [account], {account.id: UnsavedAccountInvoices(before, paid.invoices)})
    return await _record_decision(unit, row, former)


async def lose_chargeback(unit: Unit, chargeback_id: UUID) -> ChargebackRow:
    """Release what is reserved: what is open of it is dunnable. Raises NotFound, StateMoveRefused."""
    row, account = await _lock_chargeback(unit, chargeback_id)
    former, part = row.model_dump(), await chargeback_queries.load_charged_back_part(unit, row)
    await _decide(unit, row, ChargebackState.LOST)
    unit.publish(ChargebackLost(**_identify(row)))
    before = await _load_invoices(unit, account, part)
    await apply_unapplied_cash(
        unit, [account], {account.id: UnsavedAccountInvoices(before, release_charged_back_lines(before, part))}
    )
    return await _record_decision(unit, row, former)


async def _lock_chargeback(unit: Unit, chargeback_id: UUID) -> tuple[ChargebackRow, LockedAccount]:
    account = await account_queries.lock_account(
        unit, (await chargeback_queries.get_chargeback(unit, chargeback_id)).account_id
    )
    return await chargeback_queries.get_chargeback(unit, chargeback_id), account


async def _decide(unit: Unit, row: ChargebackRow, wanted: ChargebackState) -> None:
    state = check_state_move(CHARGEBACK_ALLOWED, ChargebackState(row.state), wanted)
    await chargeback_queries.save_chargeback_decision(unit, row.id, state)


async def _record_decision(unit: Unit, row: ChargebackRow, former: Mapping[str, object]) -> ChargebackRow:
    decided = await chargeback_queries.get_chargeback(unit, row.id)
    unit.record(AuditedChange("chargeback", row.id, row.account_id, former, decided.model_dump()))
    return decided


async def _load_invoices(unit: Unit, account: LockedAccount, part: ChargedBackPart) -> dict[UUID, Invoice]:
    return await invoice_queries.map_open_invoices(unit, account.id, {paid.invoice_id for paid in part.allocations})


async def _save_paid(unit: Unit, account: LockedAccount, paid: PaidInvoicesAndPayments) -> None:
    await payment_queries.save_unapplied_cash_amounts(unit, paid.payments.values())
    await payment_queries.insert_payment_allocations(
        unit, [(account.id, allocation) for allocation in paid.allocations]
    )


async def _announce(unit: Unit, account: LockedAccount, event: ChargebackEvent, entries: Entries) -> None:
    """Publish what happened to a part of a payment, and post it as such."""
    sequence = unit.publish(event)
    await ledger_queries.post_ledger_entries(
        unit, account, LedgerDocument("payment", event.payment_id, sequence), entries
    )


def _identify(row: ChargebackRow) -> dict[str, object]:
    return {
        "account_id": row.account_id,
        "chargeback_id": row.id,
        "payment_id": row.payment_id,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
    }
