"""Tickets are read at the vendor, and what it says is taken over: by a worker, or by a person who looks there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.adapters import open_support_desk
from services.escalation.domain.vendor_tickets import (
    TicketRefusedByVendor,
    TicketStatus,
    VendorSupportDesk,
    VendorTicketNote,
    VendorTicketView,
    choose_ticket_reading_interval,
)
from services.escalation.repository import ticket_queries
from services.escalation.tables import CaseRow, VendorTicketRow
from services.escalation.use_cases.cases import CaseLink, open_task
from services.escalation.use_cases.ticket_moves import (
    apply_vendor_status,
    get_number_at_vendor,
    get_ticket_lock_subject,
    lock_vendor_ticket,
)
from services.escalation.use_cases.ticket_notes import save_vendor_notes
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

READ_TICKET = "read_ticket"
"""The kind of the intent; its key is the ticket's id."""


@dataclass(frozen=True, slots=True)
class TicketReading:
    """A ticket as the vendor shows it under a number, or the code by which it does not."""

    number: str
    seen: VendorTicketView | str


async def enqueue_ticket_readings(unit: Unit, subjects: list[str]) -> None:
    """Want the tickets of these accounts, which are locked, to be read, and again after an interval."""
    for row in await ticket_queries.list_tickets_to_read(unit, [UUID(subject) for subject in subjects]):
        await intents.enqueue_intent(unit, READ_TICKET, get_ticket_lock_subject(row), row.id, {})
        interval = choose_ticket_reading_interval(TicketStatus(row.status), is_hidden=row.reading_refusal is not None)
        row.next_reading_at = unit.now + interval
        await ticket_queries.save_vendor_ticket(unit, row)


async def fetch_ticket_from_vendor(runtime: "Runtime", intent: Intent) -> TicketReading:
    """Read a ticket at the vendor. Raises RetryLater."""
    return await _read_ticket(runtime, open_support_desk(runtime), UUID(intent.key))


async def _read_ticket(runtime: "Runtime", desk: VendorSupportDesk, ticket_id: UUID) -> TicketReading:
    ticket = await runtime.units.run(lambda unit: ticket_queries.get_vendor_ticket(unit, ticket_id))
    number = get_number_at_vendor(ticket)
    try:
        return TicketReading(number, await desk.fetch_vendor_ticket(number))
    except TicketRefusedByVendor as refusal:
        return TicketReading(number, refusal.code)


async def record_ticket_reading(unit: Unit, intent: Intent, reading: TicketReading) -> RecordingOutcome:
    """Record what the vendor shows; have a person look where it shows us nothing.

    What was read under a number that was corrected meanwhile is read again.
    """
    row, case = await lock_vendor_ticket(unit, UUID(intent.key))
    if reading.number != row.number:
        return RecordingOutcome.RETRY_NOW
    row.read_at = unit.now
    if isinstance(reading.seen, VendorTicketView):
        row.reading_refusal = None
        await save_vendor_notes(unit, row, case, reading.seen.notes)
        await apply_vendor_status(unit, row, case, reading.seen.status, reading.seen.severity, None)
    else:
        await _note_hidden(unit, row, case, reading.seen)
    await ticket_queries.save_vendor_ticket(unit, row)
    return RecordingOutcome.DONE


async def _note_hidden(unit: Unit, row: VendorTicketRow, case: CaseRow, code: str) -> None:
    if row.reading_refusal is None:
        subject = f"the vendor does not show us ticket {row.number} ({code}): record its status by hand"
        cause = f"vendor_ticket_hidden:{row.id}"
        await open_task(unit, row.account_id, cause, subject, [CaseLink("case", case.id)])
    row.reading_refusal = code


async def record_ticket_status(
    unit: Unit, ticket_id: UUID, status: TicketStatus, notes: Sequence[VendorTicketNote], actor: str
) -> VendorTicketRow:
    """Take over what a person saw of a ticket, at the vendor or at the distributor.

    Raises NotFound, TicketNotAtVendor.
    """
    row, case = await lock_vendor_ticket(unit, ticket_id)
    get_number_at_vendor(row)
    before = row.model_dump(mode="json")
    await save_vendor_notes(unit, row, case, notes, actor)
    await apply_vendor_status(unit, row, case, status, None, actor)
    await ticket_queries.save_vendor_ticket(unit, row)
    unit.record(AuditedChange("vendor_ticket", row.id, row.account_id, before, row.model_dump(mode="json")))
    return row
