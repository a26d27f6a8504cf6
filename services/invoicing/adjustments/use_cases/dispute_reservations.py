"""Amounts are held for disputes, and the outcome of a dispute moves the money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.adjustments.domain import adjustment_rules
from services.invoicing.adjustments.repository import decided_amount_queries, line_worth_queries, reservation_queries
from services.invoicing.adjustments.use_cases import approval_limits, credit_note_issuing
from services.invoicing.adjustments.use_cases.approval_decisions import AboveApprovalLimit
from services.invoicing.payments.repository import allocation_queries
from services.invoicing.payments.use_cases.payment_effects import UnsavedAccountInvoices
from services.invoicing.payments.use_cases.payment_recording import apply_unapplied_cash
from services.invoicing.receivables.domain import invoice_balances
from services.invoicing.receivables.repository import invoice_queries
from services.invoicing.receivables.use_cases import balance_updates
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import NotFound, Refusal
from shared.pure.money import Money


class DisputeAlreadyReserved(Refusal):
    """This dispute has reserved other amounts before, or is over."""

    code = "dispute_known"


class UnreservedDispute(Refusal):
    """Nothing was ever reserved for this dispute, so its outcome cannot move money."""

    code = "unknown_dispute"


async def reserve_disputed_amounts(
    unit: Unit, dispute_id: UUID, invoice_id: UUID, lines: Sequence[tuple[int, int]]
) -> None:
    """Hold amounts of lines (number, minor units) for a dispute; a repeat changes nothing.

    Raises NotFound, UnknownInvoiceLine, AmountAboveBalance, DisputeAlreadyReserved.
    """
    document = await invoice_queries.get_invoice(unit, invoice_id)
    account = await account_queries.lock_account(unit, document.account_id)
    reservation = await reservation_queries.find_dispute_reservation(unit, dispute_id)
    if reservation:
        if reservation != (invoice_id, sorted(lines), True):
            raise DisputeAlreadyReserved(f"dispute {dispute_id} is known with other amounts, or is over")
        unit.record_nothing()
        return
    before = await invoice_queries.map_open_invoices(unit, account.id, [invoice_id])
    after = invoice_balances.reserve_invoice_lines(before[invoice_id], lines)
    await reservation_queries.save_dispute_reservations(unit, account.id, dispute_id, invoice_id, lines, 0)
    await balance_updates.save_and_publish_balances(unit, account.time_zone, before, {invoice_id: after})
    unit.record(AuditedChange("dispute", dispute_id, account.id))


class DisputeReservationReleased(Refusal):
    """The amounts are reserved no more: the dispute has ended, or somebody has released them."""

    code = "reservation_released"


class DisputeApprovalAboveReserved(Refusal):
    """More would be credited than is reserved."""

    code = "approved_refused"
    status = 422


class DisputeUpholdingAuthorised(Refusal):
    """Somebody was authorised to uphold the dispute, so its outcome releases the amounts, and nobody else does."""

    code = "upholding_authorised"


async def release_dispute_reservation(unit: Unit, dispute_id: UUID) -> None:
    """Release what is reserved for a dispute that nobody upholds: what is open of it is dunnable again.

    Raises NotFound, DisputeReservationReleased, DisputeUpholdingAuthorised.
    """
    invoice_id, _, _ = await get_dispute_reservation(unit, dispute_id)
    account = await account_queries.lock_account(unit, (await invoice_queries.get_invoice(unit, invoice_id)).account_id)
    _, lines, is_reserved = await get_dispute_reservation(unit, dispute_id)
    if not is_reserved:
        raise DisputeReservationReleased(f"nothing is reserved for dispute {dispute_id} any more")
    if await decided_amount_queries.has_decided_amount(unit, dispute_id):
        raise DisputeUpholdingAuthorised("it is being upheld: reject or withdraw the dispute instead")
    before = await invoice_queries.map_open_invoices(unit, account.id, [invoice_id])
    await reservation_queries.mark_dispute_released(unit, dispute_id)
    after = invoice_balances.release_invoice_lines(before[invoice_id], lines)
    await apply_unapplied_cash(unit, [account], {account.id: UnsavedAccountInvoices(before, {invoice_id: after})})
    unit.record(AuditedChange("dispute", dispute_id, account.id, _write_reserved(lines), _write_reserved([])))


async def amend_dispute_reservation(
    unit: Unit, dispute_id: UUID, number: int, lines: Sequence[tuple[int, int]]
) -> None:
    """Reserve other amounts for a dispute: more, fewer, of other lines. A repeat of the last amendment changes nothing.

    Amendments are numbered by escalation, upwards. Raises NotFound, UnknownInvoiceLine, AmountAboveBalance,
    DisputeAlreadyReserved, DisputeReservationReleased, DisputeUpholdingAuthorised.
    """
    invoice_id, _, _ = await get_dispute_reservation(unit, dispute_id)
    account = await account_queries.lock_account(unit, (await invoice_queries.get_invoice(unit, invoice_id)).account_id)
    _, reserved, is_reserved = await get_dispute_reservation(unit, dispute_id)
    if await _is_repeated(unit, dispute_id, number, sorted(lines) == reserved):
        unit.record_nothing()
        return
    if not is_reserved:
        raise DisputeReservationReleased(f"nothing is reserved for dispute {dispute_id} any more")
    if await decided_amount_queries.has_decided_amount(unit, dispute_id):
        raise DisputeUpholdingAuthorised("it is being upheld: reject or withdraw the dispute instead")
    before = await invoice_queries.map_open_invoices(unit, account.id, [invoice_id])
    after = invoice_balances.reserve_invoice_lines(
        invoice_balances.release_invoice_lines(before[invoice_id], reserved), lines
    )
    await reservation_queries.save_dispute_reservations(unit, account.id, dispute_id, invoice_id, lines, number)
    await apply_unapplied_cash(unit, [account], {account.id: UnsavedAccountInvoices(before, {invoice_id: after})})
    unit.record(AuditedChange("dispute", dispute_id, account.id, _write_reserved(reserved), _write_reserved(lines)))


async def _is_repeated(unit: Unit, dispute_id: UUID, number: int, is_same: bool) -> bool:
    last = await reservation_queries.get_dispute_amendment_number(unit, dispute_id)
    if number < last or (number == last and not is_same):
        raise DisputeAlreadyReserved(f"dispute {dispute_id} has amendment {last} already")
    return number == last


def _write_reserved(lines: Sequence[tuple[int, int]]) -> dict[str, Any]:
    return {"reserved": [{"line": line, "amount_minor": minor} for line, minor in lines]}


@dataclass(frozen=True, slots=True)
class DisputeUpholdingQuestion:
    """Who would decide about a dispute, by which roles, its lines (number, minor units) and what is credited of them.

    Without approved amounts everything that is reserved is credited.
    """

    actor: str
    roles: Sequence[str]
    lines: Sequence[tuple[int, int]]
    outcome: Literal["upheld", "declined"]
    approved: Sequence[tuple[int, int]] | None = None

    def sum_approved_credit(self) -> int:
        """Sum what is credited; minor units. Raises DisputeApprovalAboveReserved."""
        approved = self.lines if self.approved is None else self.approved
        reserved = dict(self.lines)
        if any(minor > reserved.get(line, 0) for line, minor in approved) or len(dict(approved)) < len(approved):
            raise DisputeApprovalAboveReserved("approved: more than is reserved of a line, or a line is named twice")
        return sum(minor for _, minor in approved)


async def authorise_disputed_credit(unit: Unit, dispute_id: UUID, question: DisputeUpholdingQuestion) -> Money:
    """Authorise the credit of what is reserved for a dispute, by the limits of a person's roles; the amount.

    To uphold it counts for the person's day as if they credited it, once, unless the dispute ends otherwise; to
    decline it gives nothing. Raises NotFound, DisputeAlreadyReserved, AboveApprovalLimit, DisputeApprovalAboveReserved.
    """
    invoice_id, lines, is_reserved = await get_dispute_reservation(unit, dispute_id)
    account = await account_queries.lock_account(unit, (await invoice_queries.get_invoice(unit, invoice_id)).account_id)
    invoice_id, lines, is_reserved = await get_dispute_reservation(unit, dispute_id)
    if not is_reserved or lines != sorted(question.lines):
        raise DisputeAlreadyReserved(f"dispute {dispute_id} is known with other amounts, or is over")
    amount = Money(question.sum_approved_credit(), account.currency)
    if not await _is_authorised(unit, dispute_id, question, account, amount):
        raise AboveApprovalLimit(f"these roles may not decide about {amount}, with what was given today")
    unit.record(AuditedChange("dispute", dispute_id, account.id))
    return amount


async def _is_authorised(
    unit: Unit, dispute_id: UUID, question: DisputeUpholdingQuestion, account: LockedAccount, amount: Money
) -> bool:
    actor, roles = question.actor, question.roles
    if question.outcome == "declined":
        return await approval_limits.is_within_approval_limit(unit, roles, amount.minor, amount.currency)
    return await approval_limits.count_against_approval_limit(
        unit, actor, roles, approval_limits.DecidedAmount(dispute_id, account, amount.minor)
    )


async def settle_dispute(unit: Unit, dispute_id: UUID, approved: Mapping[int, int]) -> None:
    """End a dispute: release what it reserved and credit what is approved of it by line, in one transaction.

    No more is credited of a line than is reserved. Raises UnreservedDispute. A repeat changes nothing.
    """
    reservation = await reservation_queries.find_dispute_reservation(unit, dispute_id)
    if reservation is None:
        raise UnreservedDispute(f"nothing was reserved for dispute {dispute_id}")
    invoice_id, reserved_lines, is_held = reservation
    if not is_held:
        return
    account = await account_queries.lock_account(unit, (await invoice_queries.get_invoice(unit, invoice_id)).account_id)
    before = await invoice_queries.map_open_invoices(unit, account.id, [invoice_id])
    after = invoice_balances.release_invoice_lines(before[invoice_id], reserved_lines)
    await reservation_queries.mark_dispute_released(unit, dispute_id)
    creditable = [(line, min(minor, approved[line])) for line, minor in reserved_lines if approved.get(line, 0) > 0]
    if not creditable:
        await decided_amount_queries.delete_decided_amount(unit, dispute_id)
    else:
        credited = await _credit(unit, after, creditable)
        after = credited.invoice
        if credited.lines:
            credit_reason = credit_note_issuing.CreditReason(credit_note_issuing.DISPUTE, dispute_id=dispute_id)
            await credit_note_issuing.issue_credit_note(unit, account, before[invoice_id], credited, credit_reason)
    await apply_unapplied_cash(unit, [account], {account.id: UnsavedAccountInvoices(before, {invoice_id: after})})


async def _credit(
    unit: Unit, invoice: invoice_balances.Invoice, amounts: Sequence[tuple[int, int]]
) -> adjustment_rules.CreditNoteEffect:
    paid = await allocation_queries.list_allocations_on_invoice(unit, invoice.id)
    return adjustment_rules.credit_disputed_lines(
        invoice, amounts, paid, await line_worth_queries.find_invoice_line_worth(unit, invoice.id)
    )


async def get_dispute_reservation(unit: Unit, dispute_id: UUID) -> tuple[UUID, list[tuple[int, int]], bool]:
    """Get what is reserved for a dispute, and whether it still is. Raises NotFound."""
    reservation = await reservation_queries.find_dispute_reservation(unit, dispute_id)
    if reservation is None:
        raise NotFound(f"nothing was reserved for dispute {dispute_id}")
    return reservation
