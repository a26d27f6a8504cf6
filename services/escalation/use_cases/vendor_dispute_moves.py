"""Vendor disputes move: to another ticket or deadline, and to what the vendor answers."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.escalation.domain.state_moves import StateMoveRefused, move_state
from services.escalation.domain.vendor_disputes import (
    VENDOR_DISPUTE_ALLOWED,
    VendorDisputeState,
    accept_contested_amount,
    plan_deadline_warning,
)
from services.escalation.repository import case_queries, ticket_queries, vendor_dispute_queries
from services.escalation.tables import CaseRow, VendorDisputeRow
from services.escalation.use_cases.cases import get_case_event_subject
from services.escalation.use_cases.vendor_disputes import describe_vendor_dispute, write_vendor_dispute_entry
from shared.events.escalation import VendorDisputeDeadlineNear, VendorDisputeResolved
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import NotFound, Refusal


class UnknownVendorTicket(Refusal):
    """There is no such ticket."""

    code = "unknown_ticket"
    status = 422


@dataclass(frozen=True, slots=True)
class VendorDisputePlace:
    """Where the vendor works on a vendor dispute, and until when it is to answer; None where nobody knows."""

    ticket_id: UUID | None
    vendor_reference: str | None
    deadline: date | None


async def set_vendor_dispute_ticket(
    unit: Unit, vendor_dispute_id: UUID, at_vendor: VendorDisputePlace, actor: str
) -> VendorDisputeRow:
    """Say where the vendor works on it and until when it is to answer.

    Raises NotFound, StateMoveRefused, UnknownVendorTicket.
    """
    row, case, before = await _lock_vendor_dispute(unit, vendor_dispute_id)
    if row.state != VendorDisputeState.OPEN:
        raise StateMoveRefused(f"what is {row.state} is at the vendor no more")
    row.ticket_id, row.vendor_reference = at_vendor.ticket_id, await _find_number(unit, at_vendor)
    if row.deadline != at_vendor.deadline:
        row.deadline, row.warn_at = at_vendor.deadline, plan_deadline_warning(at_vendor.deadline)
    await vendor_dispute_queries.save_vendor_dispute(unit, row)
    unit.record(AuditedChange("vendor_dispute", row.id, case.account_id, before, row.model_dump(mode="json")))
    await write_vendor_dispute_entry(unit, row, case, actor, "")
    return row


async def _find_number(unit: Unit, at_vendor: VendorDisputePlace) -> str | None:
    """Find the vendor's number of the ticket, where no other reference is given."""
    if at_vendor.ticket_id is None:
        return at_vendor.vendor_reference
    try:
        ticket = await ticket_queries.get_vendor_ticket(unit, at_vendor.ticket_id)
    except NotFound as missing:
        raise UnknownVendorTicket(f"ticket_id: {missing.detail}") from missing
    return at_vendor.vendor_reference or ticket.number


async def warn_of_vendor_deadlines(unit: Unit, vendor_invoice_ids: list[str]) -> None:
    """Warn of the deadlines of what is contested of these vendor invoices."""
    ids = [UUID(vendor_invoice_id) for vendor_invoice_id in vendor_invoice_ids]
    for row in await vendor_dispute_queries.take_vendor_dispute_warnings(unit, ids):
        unit.publish(VendorDisputeDeadlineNear(**row))


async def accept_vendor_dispute(
    unit: Unit, vendor_dispute_id: UUID, accepted_minor: int, actor: str, reason: str
) -> VendorDisputeRow:
    """Record what the vendor accepts of it (minor units, with tax).

    Raises NotFound, StateMoveRefused, AcceptedAmountRefused.
    """
    row, case, before = await _lock_vendor_dispute(unit, vendor_dispute_id)
    row.state = accept_contested_amount(VendorDisputeState(row.state), row.contested_minor, accepted_minor)
    row.accepted_minor = accepted_minor
    return await _save_ended(unit, row, case, before, actor, reason)


async def end_vendor_dispute(
    unit: Unit, vendor_dispute_id: UUID, wanted: VendorDisputeState, actor: str, reason: str
) -> VendorDisputeRow:
    """Record that the vendor rejects it, or that we contest it no more. Raises NotFound, StateMoveRefused."""
    row, case, before = await _lock_vendor_dispute(unit, vendor_dispute_id)
    row.state = move_state(VENDOR_DISPUTE_ALLOWED, VendorDisputeState(row.state), wanted)
    row.accepted_minor = 0
    return await _save_ended(unit, row, case, before, actor, reason)


async def _lock_vendor_dispute(unit: Unit, vendor_dispute_id: UUID) -> tuple[VendorDisputeRow, CaseRow, dict[str, Any]]:
    """Lock the vendor invoice and the case; the vendor dispute, its case, and its fields as they are."""
    seen = await vendor_dispute_queries.get_vendor_dispute(unit, vendor_dispute_id)
    case = await case_queries.get_case(unit, seen.case_id)
    await unit.lock_subjects(seen.vendor_invoice_id, get_case_event_subject(case))
    row = await vendor_dispute_queries.get_vendor_dispute(unit, vendor_dispute_id)
    return row, case, row.model_dump(mode="json")


async def _save_ended(
    unit: Unit, row: VendorDisputeRow, case: CaseRow, before: dict[str, Any], actor: str, reason: str
) -> VendorDisputeRow:
    row.ended_at, row.ended_by, row.ended_reason, row.warn_at = unit.now, actor, reason, None
    await vendor_dispute_queries.save_vendor_dispute(unit, row)
    unit.publish(
        VendorDisputeResolved(**describe_vendor_dispute(row), outcome=row.state, accepted_minor=row.accepted_minor)
    )
    unit.record(AuditedChange("vendor_dispute", row.id, case.account_id, before, row.model_dump(mode="json")))
    await write_vendor_dispute_entry(unit, row, case, actor, reason)
    return row
