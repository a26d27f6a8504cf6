"""Tickets move: submitted by a person, seen at the vendor in another status, and said to have solved the problem."""

from uuid import UUID

from services.escalation.domain.cases import UNRESOLVED, CaseState
from services.escalation.domain.state_moves import StateMoveRefused, move_state
from services.escalation.domain.vendor_tickets import TICKET_ALLOWED, TicketNotAtVendor, TicketStatus
from services.escalation.repository import case_queries, ticket_queries
from services.escalation.tables import CaseRow, VendorTicketRow
from services.escalation.use_cases.case_clocks import begin_case_clocks
from services.escalation.use_cases.case_moves import advance_case
from services.escalation.use_cases.cases import CaseLink, open_task, write_internal_entry
from services.escalation.use_cases.resources import use_contract_request
from services.escalation.use_cases.vendor_clocks import begin_vendor_clock, stop_vendor_clock
from shared.events.escalation import VendorTicketOpened, VendorTicketUpdated
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal


class TicketNumberTaken(Refusal):
    """Another ticket of the legal entity has this number."""

    code = "number_taken"


async def lock_vendor_ticket(unit: Unit, ticket_id: UUID) -> tuple[VendorTicketRow, CaseRow]:
    """Lock what a ticket is about; get it as it is then, with the case that goes on with its own. Raises NotFound."""
    row = await ticket_queries.get_vendor_ticket(unit, ticket_id)
    await unit.lock_subjects(get_ticket_lock_subject(row))
    row = await ticket_queries.get_vendor_ticket(unit, ticket_id)
    return row, await case_queries.get_ongoing_case(unit, row.case_id)


def get_ticket_lock_subject(row: VendorTicketRow) -> UUID:
    """Get what is locked for a ticket: its account, else its case."""
    return row.account_id or row.case_id


async def record_ticket_submitted(unit: Unit, ticket_id: UUID, number: str, actor: str) -> VendorTicketRow:
    """Record that a person submitted a ticket, with the vendor's number.

    Raises NotFound, StateMoveRefused, TicketNumberTaken, SupportContractUsedUp.
    """
    row, case = await lock_vendor_ticket(unit, ticket_id)
    before = row.model_dump(mode="json")
    wanted = move_state(TICKET_ALLOWED, TicketStatus(row.status), TicketStatus.OPEN)
    await _take_number(unit, row, number)
    if row.resource_id is not None:
        await use_contract_request(unit, row.resource_id)
    row.number, row.submitted_by, row.submitted_at = number, actor, unit.now
    row.next_reading_at = unit.now if row.channel == "portal" else None
    await _enter_status(unit, row, case, wanted, actor, "")
    await begin_vendor_clock(unit, case, row)
    await ticket_queries.save_vendor_ticket(unit, row)
    unit.publish(_build_event(VendorTicketOpened, row, case))
    if CaseState(case.state) in UNRESOLVED:
        states = (CaseState.IN_PROGRESS, CaseState.WAITING_FOR_VENDOR)
        await advance_case(unit, case, states, actor, f"vendor ticket {number}")
    unit.record(AuditedChange("vendor_ticket", row.id, row.account_id, before, row.model_dump(mode="json")))
    return row


async def set_ticket_number(unit: Unit, ticket_id: UUID, number: str, actor: str, reason: str) -> VendorTicketRow:
    """Correct the number of a ticket at the vendor; the former one stays in the thread, and what was read there too.

    Raises NotFound, TicketNotAtVendor, StateMoveRefused, TicketNumberTaken.
    """
    row, case = await lock_vendor_ticket(unit, ticket_id)
    former, before = get_number_at_vendor(row), row.model_dump(mode="json")
    if number == former:
        raise StateMoveRefused(f"number: it is {former} already")
    await _take_number(unit, row, number)
    row.number, row.reading_refusal = number, None
    row.next_reading_at = unit.now if row.channel == "portal" and row.is_solved is None else None
    await ticket_queries.save_vendor_ticket(unit, row)
    details = {"vendor_ticket": str(row.id), "number": {"from": former, "to": number}}
    await write_internal_entry(unit, case, "change", actor, reason, details)
    unit.publish(_build_event(VendorTicketUpdated, row, case))
    unit.record(AuditedChange("vendor_ticket", row.id, row.account_id, before, row.model_dump(mode="json")))
    return row


async def _take_number(unit: Unit, row: VendorTicketRow, number: str) -> None:
    """Let a number be that of a ticket, of one in its legal entity. Raises TicketNumberTaken."""
    await unit.lock_subjects(f"vendor ticket {row.legal_entity} {number}")
    if await ticket_queries.find_ticket_by_number(unit, row.legal_entity, number) is not None:
        raise TicketNumberTaken(f"number: another ticket of {row.legal_entity} is {number}")


async def discard_vendor_ticket(unit: Unit, ticket_id: UUID, actor: str, reason: str) -> VendorTicketRow:
    """Discard a ticket that nobody submits. Raises NotFound, StateMoveRefused."""
    row, case = await lock_vendor_ticket(unit, ticket_id)
    before = row.model_dump(mode="json")
    wanted = move_state(TICKET_ALLOWED, TicketStatus(row.status), TicketStatus.DISCARDED)
    await _enter_status(unit, row, case, wanted, actor, reason)
    await ticket_queries.save_vendor_ticket(unit, row)
    unit.record(AuditedChange("vendor_ticket", row.id, row.account_id, before, row.model_dump(mode="json")))
    return row


async def confirm_vendor_solution(
    unit: Unit, ticket_id: UUID, solved: bool, actor: str, reason: str
) -> VendorTicketRow:
    """Say whether a ticket that the vendor closed solved the problem. Raises NotFound, StateMoveRefused."""
    row, case = await lock_vendor_ticket(unit, ticket_id)
    if row.status != TicketStatus.CLOSED or row.is_solved is not None:
        raise StateMoveRefused("whether it solved the problem is said once, of a ticket that the vendor has closed")
    before = row.model_dump(mode="json")
    row.is_solved, row.solved_reason, row.solved_by, row.solved_at = solved, reason, actor, unit.now
    row.next_reading_at = None
    await ticket_queries.save_vendor_ticket(unit, row)
    details = {"vendor_ticket": str(row.id), "is_solved": solved}
    await write_internal_entry(unit, case, "change", actor, reason, details)
    unit.record(AuditedChange("vendor_ticket", row.id, row.account_id, before, row.model_dump(mode="json")))
    return row


async def apply_vendor_status(
    unit: Unit, row: VendorTicketRow, case: CaseRow, status: TicketStatus, severity: str | None, actor: str | None
) -> None:
    """Take over what the vendor says of a ticket: its status, and how bad it finds the problem."""
    is_moved, is_weighed = status != row.status, severity is not None and severity != row.severity
    if is_moved:
        await _enter_status(unit, row, case, move_state(TICKET_ALLOWED, TicketStatus(row.status), status), actor, "")
    if is_weighed:
        row.severity = severity
    if is_moved or is_weighed:
        unit.publish(_build_event(VendorTicketUpdated, row, case))
    if is_moved and status is not TicketStatus.CLOSED:
        _resume_ticket(unit, row)
    if is_moved and status is not TicketStatus.OPEN:
        await note_vendor_answer(unit, row)
        await _return_turn(unit, row, case, status)


def _resume_ticket(unit: Unit, row: VendorTicketRow) -> None:
    """Let a ticket go on that the vendor does not find closed: nobody has said of it whether it solved the problem."""
    row.is_solved = row.solved_reason = row.solved_by = row.solved_at = None
    if row.channel == "portal" and row.next_reading_at is None:
        row.next_reading_at = unit.now


async def note_vendor_answer(unit: Unit, row: VendorTicketRow) -> None:
    """Note that the vendor has answered a ticket, which ends its clock."""
    if row.answered_at is None:
        row.answered_at = unit.now
        await stop_vendor_clock(unit, row)


async def _return_turn(unit: Unit, row: VendorTicketRow, case: CaseRow, status: TicketStatus) -> None:
    """Make it our turn where we waited for the vendor. What is resolved or closed stays so: a person gets a task."""
    if case.state == CaseState.WAITING_FOR_VENDOR:
        await advance_case(unit, case, (CaseState.IN_PROGRESS,), None, f"vendor ticket {row.number}: {status}")
        await begin_case_clocks(unit, case, ("update",))
    elif status is TicketStatus.ATTENTION_NEEDED and CaseState(case.state) not in UNRESOLVED:
        subject = f"the vendor waits for us in ticket {row.number}, whose case is {case.state}"
        await open_task(unit, row.account_id, f"vendor_ticket:{row.id}", subject, [CaseLink("case", case.id)])


def get_number_at_vendor(row: VendorTicketRow) -> str:
    """Return the number of a ticket at the vendor. Raises TicketNotAtVendor."""
    if row.number is None:
        raise TicketNotAtVendor(f"the ticket is {row.status}: only one that was submitted is at the vendor")
    return row.number


async def _enter_status(
    unit: Unit, row: VendorTicketRow, case: CaseRow, status: TicketStatus, actor: str | None, reason: str
) -> None:
    details = {"vendor_ticket": str(row.id), "status": {"from": row.status, "to": status.value}}
    row.status, row.status_since = status, unit.now
    await write_internal_entry(unit, case, "change", actor, reason, details)


def _build_event(
    kind: type[VendorTicketOpened | VendorTicketUpdated], row: VendorTicketRow, case: CaseRow
) -> VendorTicketOpened | VendorTicketUpdated:
    return kind(
        case_id=case.id,
        account_id=case.account_id,
        ticket_id=row.id,
        number=row.number,
        status=row.status,
        severity=row.severity,
    )
