"""Direct debits: in flight from the day that they are sent until the bank says what became of them."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import orjson

from services.invoicing.domain import relief
from services.invoicing.domain.debit_failure import read_code
from services.invoicing.domain.states import DEBIT_ALLOWED, DebitState, moved_to
from services.invoicing.repository import accounts, invoices
from services.invoicing.repository import debits as repository
from services.invoicing.repository.accounts import Account
from services.invoicing.repository.payments import Received
from services.invoicing.tables import DebitRow
from services.invoicing.use_cases import balances, payments
from services.invoicing.use_cases.accounts import ReferenceTaken
from services.invoicing.use_cases.paying import Unsaved
from services.invoicing.use_cases.payments import NewPayment
from shared.events.invoicing import Allocated, PaymentFailed, PaymentInitiated
from shared.persistence.audit import Change
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.ids import new_id
from shared.pure.money import CurrencyMismatch, Money


async def initiate(unit: Unit, invoice_id: UUID, amount: Money | None, reference: str) -> DebitRow:
    """A debit of what is due of an invoice, or of a part, is on its way to the bank.

    Raises NotFound, CurrencyMismatch, ReferenceTaken, AmountRefused.
    """
    account = await accounts.locked(unit, (await invoices.invoice_row(unit, invoice_id)).account_id)
    if amount is not None and amount.currency != account.currency:
        raise CurrencyMismatch(f"the account is billed in {account.currency}, not in {amount.currency}")
    if await repository.reference_taken(unit, account.id, reference):
        raise ReferenceTaken(f"the account has a debit with the reference {reference}")
    before = await invoices.open_invoices(unit, account.id, [invoice_id])
    after, held = relief.send_debit(before[invoice_id], amount.minor if amount else None)
    row = DebitRow(
        id=new_id(),
        account_id=account.id,
        invoice_id=invoice_id,
        amount_minor=sum(share for _, share in held),
        currency=account.currency,
        reference=reference,
        lines=[list(line) for line in held],
        state=DebitState.INITIATED,
        initiated_at=unit.now,
        ended_at=None,
        failure=None,
        payment_id=None,
    )
    await repository.save(unit, row)
    unit.publish(
        PaymentInitiated(
            account_id=account.id,
            debit_id=row.id,
            invoice_id=invoice_id,
            amount_minor=row.amount_minor,
            currency=row.currency,
            lines=tuple(Allocated(invoice_id=invoice_id, line=line, amount_minor=share) for line, share in held),
        )
    )
    await balances.save_changed(unit, account.time_zone, before, {invoice_id: after})
    unit.record(Change("debit", row.id, account.id))
    return row


async def settle(unit: Unit, debit_id: UUID) -> DebitRow:
    """The bank has paid: the debit becomes a payment of its invoice. Raises NotFound, MoveRefused.

    Nothing changes if an entry of a bank statement has settled it before.
    """
    await accounts.locked(unit, (await repository.debit(unit, debit_id)).account_id)
    if await repository.has_entry(unit, debit_id):
        unit.record_nothing()
        return await repository.debit(unit, debit_id)
    former = (await repository.debit(unit, debit_id)).model_dump()
    row = await complete_debit(unit, debit_id)
    unit.record(Change("debit", row.id, row.account_id, former, row.model_dump()))
    return row


async def complete_debit(unit: Unit, debit_id: UUID) -> DebitRow:
    """Make a debit in flight a payment of its invoice, as a part of a request. Raises NotFound, MoveRefused."""
    account, row, landed = await _land(unit, debit_id, DebitState.SETTLED)
    money = Money(row.amount_minor, row.currency)
    new = NewPayment(account.id, money, row.invoice_id, (), row.reference, debit_id=row.id)
    payment = await payments.receive(unit, new, landed)
    row.payment_id, row.state, row.ended_at = payment.id, DebitState.SETTLED, unit.now
    await repository.save(unit, row)
    return row


async def settle_many(unit: Unit, debits: Sequence[asyncpg.Record]) -> list[Received]:
    """Settle debits in flight of different accounts together; the payment of each. Raises what refuses one of them."""
    accounts_by_id = await accounts.locked_many(unit, [debit["account_id"] for debit in debits])
    before = await invoices.open_invoices_of(unit, accounts_by_id, [debit["invoice_id"] for debit in debits])
    landed: dict[UUID, Unsaved] = {}
    for debit in debits:
        moved_to(DEBIT_ALLOWED, DebitState(debit["state"]), DebitState.SETTLED)
        invoice = before[debit["account_id"]][debit["invoice_id"]]
        after = relief.land_debit(invoice, orjson.loads(debit["lines"]))
        landed[debit["account_id"]] = Unsaved({invoice.id: invoice}, {invoice.id: after})
    received: list[Received] = []
    for outcome in await payments.receive_many(unit, [_payment_of(debit) for debit in debits], landed):
        if isinstance(outcome, Refusal):
            raise outcome
        received.append(outcome)
    pairs = zip(debits, received, strict=True)
    await repository.save_settled(unit, [(debit["id"], payment.id) for debit, payment in pairs])
    return received


def _payment_of(debit: asyncpg.Record) -> NewPayment:
    money = Money(debit["amount_minor"], debit["currency"])
    return NewPayment(debit["account_id"], money, debit["invoice_id"], (), debit["reference"], debit_id=debit["id"])


async def fail(unit: Unit, debit_id: UUID, failure: str) -> DebitRow:
    """The bank refused it: its amounts are due again. Raises NotFound, MoveRefused."""
    account, row, landed = await _land(unit, debit_id, DebitState.REFUSED)
    former = row.model_dump()
    row.failure, row.state, row.ended_at = failure, DebitState.REFUSED, unit.now
    await repository.save(unit, row)
    unit.publish(
        PaymentFailed(
            account_id=account.id,
            debit_id=row.id,
            invoice_id=row.invoice_id,
            amount_minor=row.amount_minor,
            currency=row.currency,
            failure=read_code(failure),
        )
    )
    await payments.apply_unapplied(unit, [account], {account.id: landed})
    unit.record(Change("debit", row.id, account.id, former, row.model_dump()))
    return row


async def _land(unit: Unit, debit_id: UUID, wanted: DebitState) -> tuple[Account, DebitRow, Unsaved]:
    account = await accounts.locked(unit, (await repository.debit(unit, debit_id)).account_id)
    row = await repository.debit(unit, debit_id)
    moved_to(DEBIT_ALLOWED, DebitState(row.state), wanted)
    before = await invoices.open_invoices(unit, account.id, [row.invoice_id])
    after = relief.land_debit(before[row.invoice_id], [(line, amount) for line, amount in row.lines])
    return account, row, Unsaved({row.invoice_id: before[row.invoice_id]}, {row.invoice_id: after})
