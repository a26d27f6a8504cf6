"""Credit notes, write-offs and refunds: done at once within the caller's limit of the day, else by a second person."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.adjustments.domain import adjustment_rules
from services.invoicing.adjustments.repository import approval_queries, line_worth_queries
from services.invoicing.adjustments.tables.approval_tables import ApprovalRow
from services.invoicing.adjustments.use_cases import (
    approval_limits,
    credit_note_issuing,
    line_write_offs,
    refund_payouts,
)
from services.invoicing.adjustments.use_cases.credit_note_issuing import CreditReason
from services.invoicing.payments.repository import allocation_queries
from services.invoicing.payments.use_cases.payment_effects import UnsavedAccountInvoices
from services.invoicing.payments.use_cases.payment_recording import apply_unapplied_cash
from services.invoicing.receivables.domain.invoice_balances import Invoice
from services.invoicing.receivables.repository import invoice_queries
from services.invoicing.settings.domain.approval_states import APPROVAL_ALLOWED, ApprovalState, check_state_move
from services.invoicing.settings.repository.second_person_queries import refund_needs_second_person
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import NotFound, Refusal
from shared.pure.ids import new_id
from shared.pure.money import CurrencyMismatch, Money
from shared.pure.proposals import ChangeAlreadyProposed, NotTheProposer, SecondPersonNeeded
from shared.web.auth import Caller, is_same_actor

CREDIT_NOTE, WRITE_OFF, REFUND = "credit_note", "write_off", "refund"


class AboveApprovalLimit(Refusal):
    """The amount is above what the caller's roles may decide about."""

    code = "above_limit"
    status = 403


@dataclass(frozen=True, slots=True)
class AdjustmentReason:
    """The reason: a code for reports, and words for people."""

    code: str
    text: str


async def propose_credit_note(
    unit: Unit, caller: Caller, invoice_id: UUID, lines: Sequence[tuple[int, int]], stated_reason: AdjustmentReason
) -> ApprovalRow:
    """Credit lines (number, minor units) of an invoice.

    Raises NotFound, UnknownInvoiceLine, AmountAboveBalance, ChangeAlreadyProposed.
    """
    account = await account_queries.lock_account(unit, (await invoice_queries.get_invoice(unit, invoice_id)).account_id)
    invoice = (await invoice_queries.map_open_invoices(unit, account.id, [invoice_id]))[invoice_id]
    await _credit_by_hand(unit, invoice, lines)
    amount = sum(share for _, share in lines)
    return await _propose(
        unit, caller, account, _row(unit, CREDIT_NOTE, account, amount, caller, stated_reason, invoice_id, lines)
    )


async def propose_write_off(
    unit: Unit, caller: Caller, invoice_id: UUID, stated_reason: AdjustmentReason
) -> ApprovalRow:
    """Write off what is open of an invoice. Raises NotFound, AmountAboveBalance, ChangeAlreadyProposed."""
    account = await account_queries.lock_account(unit, (await invoice_queries.get_invoice(unit, invoice_id)).account_id)
    invoice = (await invoice_queries.map_open_invoices(unit, account.id, [invoice_id]))[invoice_id]
    _, lines = adjustment_rules.write_off_invoice(invoice)
    amount = sum(share for _, share in lines)
    return await _propose(
        unit, caller, account, _row(unit, WRITE_OFF, account, amount, caller, stated_reason, invoice_id)
    )


async def propose_refund(
    unit: Unit, caller: Caller, account_id: UUID, amount: Money, stated_reason: AdjustmentReason
) -> ApprovalRow:
    """Hold unapplied cash to be paid back; or pay it at once, where no second person is required within a limit.

    Raises NotFound, CurrencyMismatch, AmountAboveBalance, ChangeAlreadyProposed.
    """
    account = await account_queries.lock_account(unit, account_id)
    if amount.currency != account.currency:
        raise CurrencyMismatch(f"the account is billed in {account.currency}, not in {amount.currency}")
    row = _row(unit, REFUND, account, amount.minor, caller, stated_reason)
    await _check_standing(unit, row)
    if not await refund_needs_second_person(unit, account.legal_entity) and await _take_limit(
        unit, caller, account, row
    ):
        return await _refund_at_once(unit, account, row)
    await approval_queries.save_approval(unit, row)
    await refund_payouts.reserve_refund_cash(unit, account, row)
    unit.record(AuditedChange("approval", row.id, account.id))
    return row


async def _refund_at_once(unit: Unit, account: LockedAccount, row: ApprovalRow) -> ApprovalRow:
    row.state, row.decided_at = ApprovalState.CARRIED_OUT, unit.now
    await approval_queries.save_approval(unit, row)
    await refund_payouts.pay_refund_at_once(unit, account, row)
    unit.record(
        AuditedChange("approval", row.id, account.id, None, {"state": row.state, "second_person_required": False})
    )
    return row


async def _take_limit(unit: Unit, caller: Caller, account: LockedAccount, row: ApprovalRow) -> bool:
    return await approval_limits.count_against_approval_limit(
        unit, caller.subject, caller.roles, approval_limits.DecidedAmount(row.id, account, row.amount_minor)
    )


def _row(
    unit: Unit,
    kind: str,
    account: LockedAccount,
    amount: int,
    caller: Caller,
    stated_reason: AdjustmentReason,
    invoice_id: UUID | None = None,
    lines: Sequence[tuple[int, int]] = (),
) -> ApprovalRow:
    return ApprovalRow(
        id=new_id(),
        kind=kind,
        account_id=account.id,
        invoice_id=invoice_id,
        amount_minor=amount,
        currency=account.currency,
        lines=[list(line) for line in lines],
        reason_code=stated_reason.code,
        reason=stated_reason.text,
        state=ApprovalState.PROPOSED,
        proposed_by=caller.subject,
        proposed_at=unit.now,
        decided_by=None,
        decision_reason=None,
        decided_at=None,
        credit_note_id=None,
    )


async def _propose(unit: Unit, caller: Caller, account: LockedAccount, row: ApprovalRow) -> ApprovalRow:
    await _check_standing(unit, row)
    if await _take_limit(unit, caller, account, row):
        await _carry_out(unit, account, row)
        row.state, row.decided_at = ApprovalState.CARRIED_OUT, unit.now
    await approval_queries.save_approval(unit, row)
    unit.record(AuditedChange("approval", row.id, account.id))
    return row


async def _check_standing(unit: Unit, row: ApprovalRow) -> None:
    """Refuse what waits for a second person already. Raises ChangeAlreadyProposed."""
    standing_id = await approval_queries.find_pending_approval(unit, row)
    if standing_id is not None:
        raise ChangeAlreadyProposed(
            f"it is proposed already, as {standing_id}: decide that first", approval_id=str(standing_id)
        )


async def approve_adjustment(unit: Unit, approval_id: UUID, caller: Caller, reason: str) -> ApprovalRow:
    """A second person agrees, and it is done.

    Also what doing it raises, if the facts are others by now: then it stays proposed.
    Raises NotFound, StateMoveRefused, SecondPersonNeeded, AboveApprovalLimit.
    """
    account, row = await _to_decide(unit, approval_id, caller)
    if not await _take_limit(unit, caller, account, row):
        raise _build_above_limit(row)
    before = row.model_dump()
    await _carry_out(unit, account, row)
    row.state = check_state_move(APPROVAL_ALLOWED, ApprovalState(row.state), ApprovalState.CARRIED_OUT)
    row.decided_by, row.decision_reason, row.decided_at = caller.subject, reason, unit.now
    await approval_queries.save_approval(unit, row)
    unit.record(AuditedChange("approval", row.id, account.id, before, row.model_dump()))
    return row


async def decline_adjustment(unit: Unit, approval_id: UUID, caller: Caller, reason: str) -> ApprovalRow:
    """A second person does not agree. Raises NotFound, StateMoveRefused, SecondPersonNeeded, AboveApprovalLimit."""
    account, row = await _to_decide(unit, approval_id, caller)
    if not await approval_limits.is_within_approval_limit(unit, caller.roles, row.amount_minor, row.currency):
        raise _build_above_limit(row)
    return await _end(unit, account, row, ApprovalState.DECLINED, caller, reason)


async def withdraw_adjustment(unit: Unit, approval_id: UUID, caller: Caller, reason: str) -> ApprovalRow:
    """Take back one's own proposal, of whatever amount. Raises NotFound, StateMoveRefused, NotTheProposer."""
    account, row = await _lock_proposed(unit, approval_id)
    if not is_same_actor(caller.subject, row.proposed_by):
        raise NotTheProposer(f"{row.proposed_by} proposed it: decline it instead")
    return await _end(unit, account, row, ApprovalState.WITHDRAWN, caller, reason)


async def _end(
    unit: Unit, account: LockedAccount, row: ApprovalRow, state: ApprovalState, caller: Caller, reason: str
) -> ApprovalRow:
    """End a proposal without doing it; what a refund held is unapplied cash again."""
    before = row.model_dump()
    row.state = check_state_move(APPROVAL_ALLOWED, ApprovalState(row.state), state)
    row.decided_by, row.decision_reason, row.decided_at = caller.subject, reason, unit.now
    await approval_queries.save_approval(unit, row)
    if row.kind == REFUND:
        await refund_payouts.return_refund_cash(unit, account, row)
    unit.record(AuditedChange("approval", row.id, account.id, before, row.model_dump()))
    return row


async def _lock_proposed(unit: Unit, approval_id: UUID) -> tuple[LockedAccount, ApprovalRow]:
    account = await account_queries.lock_account(
        unit, (await approval_queries.get_approval(unit, approval_id)).account_id
    )
    row = await approval_queries.get_approval(unit, approval_id)
    check_state_move(APPROVAL_ALLOWED, ApprovalState(row.state), ApprovalState.CARRIED_OUT)
    return account, row


async def _to_decide(unit: Unit, approval_id: UUID, caller: Caller) -> tuple[LockedAccount, ApprovalRow]:
    account, row = await _lock_proposed(unit, approval_id)
    if is_same_actor(caller.subject, row.proposed_by):
        raise SecondPersonNeeded(f"{row.proposed_by} proposed it, so somebody else decides")
    return account, row


def _build_above_limit(row: ApprovalRow) -> AboveApprovalLimit:
    amount = Money(row.amount_minor, row.currency)
    return AboveApprovalLimit(
        f"your roles may not decide about {amount}, with what you gave and the account was given today"
    )


async def _carry_out(unit: Unit, account: LockedAccount, row: ApprovalRow) -> None:
    if row.kind == CREDIT_NOTE:
        row.credit_note_id = await _credit(unit, account, row)
    elif row.kind == WRITE_OFF:
        await _write_off_invoice(unit, account, row)
    else:
        await refund_payouts.pay_out_reserved_refund(unit, account, row)


_give_up_claim = line_write_offs.write_off_open_lines
"""Under a name of its own, beside the proposal of a write-off here."""


async def _write_off_invoice(unit: Unit, account: LockedAccount, row: ApprovalRow) -> None:
    await _give_up_claim(unit, account, _invoice_of(row), row.reason_code)


async def _credit(unit: Unit, account: LockedAccount, row: ApprovalRow) -> UUID:
    invoice_id = _invoice_of(row)
    before = await invoice_queries.map_open_invoices(unit, account.id, [invoice_id])
    credited = await _credit_by_hand(unit, before[invoice_id], [(line, amount) for line, amount in row.lines])
    note = await credit_note_issuing.issue_credit_note(
        unit, account, before[invoice_id], credited, CreditReason(row.reason_code)
    )
    await apply_unapplied_cash(
        unit, [account], {account.id: UnsavedAccountInvoices(before, {invoice_id: credited.invoice})}
    )
    return note.id


async def _credit_by_hand(
    unit: Unit, invoice: Invoice, lines: Sequence[tuple[int, int]]
) -> adjustment_rules.CreditNoteEffect:
    paid = await allocation_queries.list_allocations_on_invoice(unit, invoice.id)
    return adjustment_rules.credit_lines_by_hand(
        invoice, lines, paid, await line_worth_queries.find_invoice_line_worth(unit, invoice.id)
    )


def _invoice_of(row: ApprovalRow) -> UUID:
    if row.invoice_id is None:
        raise NotFound(f"approval {row.id} names no invoice")
    return row.invoice_id
