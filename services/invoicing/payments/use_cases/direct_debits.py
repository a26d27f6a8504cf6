"""Direct debits: in flight from the day that they are sent until the bank says what became of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.payments.domain import payment_rules
from services.invoicing.payments.domain.debit_failure import parse_debit_failure_code
from services.invoicing.payments.domain.debit_states import DEBIT_ALLOWED, DebitState
from services.invoicing.payments.repository import debit_queries
from services.invoicing.payments.repository.payment_queries import RecordedPayment
from services.invoicing.payments.tables.debit_tables import DebitRow
from services.invoicing.payments.use_cases import payment_recording
from services.invoicing.payments.use_cases.payment_effects import UnsavedAccountInvoices
from services.invoicing.payments.use_cases.payment_recording import NewPayment
from services.invoicing.receivables.repository import invoice_queries
from services.invoicing.receivables.use_cases import balance_updates
from services.invoicing.settings.domain.approval_states import check_state_move
from shared.events.invoicing import AllocatedAmount, PaymentFailed, PaymentInitiated
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.ids import new_id
from shared.pure.money import CurrencyMismatch, Money


async def initiate_direct_debit(unit: Unit, invoice_id: UUID, amount: Money | None, reference: str) -> DebitRow:
    """A debit of what is due of an invoice, or of a part, is on its way to the bank.

    Raises NotFound, CurrencyMismatch, ExternalReferenceTaken, AmountAboveBalance.
    """
    account = await account_queries.lock_account(unit, (await invoice_queries.get_invoice(unit, invoice_id)).account_id)
    if amount is not None and amount.currency != account.currency:
        raise CurrencyMismatch(f"the account is billed in {account.currency}, not in {amount.currency}")
    if await debit_queries.is_debit_reference_taken(unit, account.id, reference):
        raise ExternalReferenceTaken(f"the account has a debit with the reference {reference}")
    before = await invoice_queries.map_open_invoices(unit, account.id, [invoice_id])
    after, in_flight = payment_rules.mark_invoice_in_flight(before[invoice_id], amount.minor if amount else None)
    row = DebitRow(
        id=new_id(),
        account_id=account.id,
        invoice_id=invoice_id,
        amount_minor=sum(share for _, share in in_flight),
        currency=account.currency,
        reference=reference,
        lines=[list(line) for line in in_flight],
        state=DebitState.INITIATED,
        initiated_at=unit.now,
        ended_at=None,
        failure=None,
        payment_id=None,
    )
    await debit_queries.save_debit(unit, row)
    lines = [AllocatedAmount(invoice_id=invoice_id, line=line, amount_minor=share) for line, share in in_flight]
    unit.publish(PaymentInitiated(**_describe_debit(row), lines=tuple(lines)))
    await balance_updates.save_and_publish_balances(unit, account.time_zone, before, {invoice_id: after})
    unit.record(AuditedChange("debit", row.id, account.id))
    return row


def _describe_debit(row: DebitRow) -> dict[str, Any]:
    return {
        "account_id": row.account_id,
        "debit_id": row.id,
        "invoice_id": row.invoice_id,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
    }


async def settle_direct_debit(unit: Unit, debit_id: UUID) -> DebitRow:
    """The bank has paid: the debit becomes a payment of its invoice. Raises NotFound, StateMoveRefused.

    Nothing changes if an entry of a bank statement has settled it before.
    """
    await account_queries.lock_account(unit, (await debit_queries.get_debit_row(unit, debit_id)).account_id)
    if await debit_queries.has_debit_bank_entry(unit, debit_id):
        unit.record_nothing()
        return await debit_queries.get_debit_row(unit, debit_id)
    former = (await debit_queries.get_debit_row(unit, debit_id)).model_dump()
    row = await turn_debit_into_payment(unit, debit_id)
    unit.record(AuditedChange("debit", row.id, row.account_id, former, row.model_dump()))
    return row


async def turn_debit_into_payment(unit: Unit, debit_id: UUID) -> DebitRow:
    """Make a debit in flight a payment of its invoice, as a part of a request. Raises NotFound, StateMoveRefused."""
    account, row, landed = await _land(unit, debit_id, DebitState.SETTLED)
    money = Money(row.amount_minor, row.currency)
    new = NewPayment(account.id, money, row.invoice_id, (), row.reference, debit_id=row.id)
    payment = await payment_recording.record_received_payment(unit, new, landed)
    row.payment_id, row.state, row.ended_at = payment.id, DebitState.SETTLED, unit.now
    await debit_queries.save_debit(unit, row)
    return row


async def settle_direct_debits(unit: Unit, debits: Sequence[asyncpg.Record]) -> list[RecordedPayment]:
    """Settle debits in flight of different accounts together; the payment of each. Raises what refuses one of them."""
    accounts_by_id = await account_queries.lock_accounts(unit, [debit["account_id"] for debit in debits])
    before = await invoice_queries.map_account_open_invoices(
        unit, accounts_by_id, [debit["invoice_id"] for debit in debits]
    )
    landed: dict[UUID, UnsavedAccountInvoices] = {}
    for debit in debits:
        check_state_move(DEBIT_ALLOWED, DebitState(debit["state"]), DebitState.SETTLED)
        invoice = before[debit["account_id"]][debit["invoice_id"]]
        after = payment_rules.clear_invoice_in_flight(invoice, orjson.loads(debit["lines"]))
        landed[debit["account_id"]] = UnsavedAccountInvoices({invoice.id: invoice}, {invoice.id: after})
    received: list[RecordedPayment] = []
    for outcome in await payment_recording.record_received_payments(
        unit, [_payment_of(debit) for debit in debits], landed
    ):
        if isinstance(outcome, Refusal):
            raise outcome
        received.append(outcome)
    pairs = zip(debits, received, strict=True)
    await debit_queries.save_settled_debits(unit, [(debit["id"], payment.id) for debit, payment in pairs])
    return received


def _payment_of(debit: asyncpg.Record) -> NewPayment:
    money = Money(debit["amount_minor"], debit["currency"])
    return NewPayment(debit["account_id"], money, debit["invoice_id"], (), debit["reference"], debit_id=debit["id"])


async def fail_direct_debit(unit: Unit, debit_id: UUID, failure: str) -> DebitRow:
    """The bank refused it: its amounts are due again. Raises NotFound, StateMoveRefused."""
    account, row, landed = await _land(unit, debit_id, DebitState.REFUSED)
    former = row.model_dump()
    row.failure, row.state, row.ended_at = failure, DebitState.REFUSED, unit.now
    await debit_queries.save_debit(unit, row)
    unit.publish(PaymentFailed(**_describe_debit(row), failure=parse_debit_failure_code(failure)))
    await payment_recording.apply_unapplied_cash(unit, [account], {account.id: landed})
    unit.record(AuditedChange("debit", row.id, account.id, former, row.model_dump()))
    return row


async def _land(
    unit: Unit, debit_id: UUID, wanted: DebitState
) -> tuple[LockedAccount, DebitRow, UnsavedAccountInvoices]:
    account = await account_queries.lock_account(unit, (await debit_queries.get_debit_row(unit, debit_id)).account_id)
    row = await debit_queries.get_debit_row(unit, debit_id)
    check_state_move(DEBIT_ALLOWED, DebitState(row.state), wanted)
    before = await invoice_queries.map_open_invoices(unit, account.id, [row.invoice_id])
    after = payment_rules.clear_invoice_in_flight(
        before[row.invoice_id], [(line, amount) for line, amount in row.lines]
    )
    return account, row, UnsavedAccountInvoices({row.invoice_id: before[row.invoice_id]}, {row.invoice_id: after})
