"""Notes of tickets: ours are sent to the vendor, and its own come into the thread, each once."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.escalation.adapters import open_support_desk
from services.escalation.domain.contact_details import ContactDetailDecision
from services.escalation.domain.vendor_tickets import (
    KnownTicketNote,
    TicketRefusedByVendor,
    VendorSupportDesk,
    VendorTicketNote,
    sort_ticket_notes,
)
from services.escalation.repository import handover_queries, thread_queries, ticket_queries
from services.escalation.tables import CaseRow, EntryRow, TicketNoteRow, VendorTicketRow
from services.escalation.use_cases.cases import CaseLink, open_task
from services.escalation.use_cases.ticket_moves import (
    get_number_at_vendor,
    get_ticket_lock_subject,
    lock_vendor_ticket,
    note_vendor_answer,
)
from services.escalation.use_cases.vendor_tickets import clean_ticket_texts
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome
from shared.pure.ids import new_id

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

SEND_NOTE = "send_note"
"""The kind of the intent; its id and key are the entry's."""


async def clean_ticket_note(
    runtime: "Runtime", ticket_id: UUID, content: str, decisions: Sequence[ContactDetailDecision]
) -> str:
    """Search a note for contact data before it is written. Raises NotFound, ContactDetailsUndecided."""

    async def load(unit: Unit) -> list[str]:
        ticket = await ticket_queries.get_vendor_ticket(unit, ticket_id)
        channel = await handover_queries.find_vendor_channel(unit, ticket.legal_entity)
        return [] if channel is None else channel.countries

    countries = await runtime.units.run(load)
    return (await asyncio.to_thread(clean_ticket_texts, {"content": content}, countries, decisions))["content"].text


async def write_ticket_note(unit: Unit, ticket_id: UUID, content: str, actor: str) -> EntryRow:
    """Write a note of ours into a ticket, and want it sent. Raises NotFound, TicketNotAtVendor."""
    row, case = await lock_vendor_ticket(unit, ticket_id)
    get_number_at_vendor(row)
    entry = await write_vendor_note_entry(unit, row, case, actor, content, {})
    note = TicketNoteRow(entry_id=entry.id, ticket_id=row.id, is_ours=True, content=content, written_at=unit.now)
    await ticket_queries.save_ticket_note(unit, note)
    if row.channel == "portal":
        await intents.enqueue_intent(
            unit, SEND_NOTE, get_ticket_lock_subject(row), entry.id, {"ticket_id": str(row.id)}, entry.id
        )
    unit.record(AuditedChange("case_entry", entry.id, row.account_id))
    return entry


async def save_vendor_notes(
    unit: Unit, row: VendorTicketRow, case: CaseRow, notes: Sequence[VendorTicketNote], actor: str | None = None
) -> None:
    """Take what the vendor wrote into the thread, each note once; ours are recognised among its."""
    sorted_notes = sort_ticket_notes(notes, await ticket_queries.list_ticket_notes(unit, row.id))
    for own, note in sorted_notes.recognised:
        await ticket_queries.mark_note_recognised(unit, own.entry_id, note.note_fingerprint, unit.now)
    for note in sorted_notes.new:
        written_at = None if note.written_at is None else note.written_at.isoformat()
        details = {"author": note.author, "written_at": written_at}
        entry = await write_vendor_note_entry(unit, row, case, actor, note.content, details)
        taken = TicketNoteRow(
            entry_id=entry.id,
            ticket_id=row.id,
            is_ours=False,
            content=note.content,
            fingerprint=note.note_fingerprint,
            written_at=note.written_at or unit.now,
        )
        await ticket_queries.save_ticket_note(unit, taken)
    if sorted_notes.new:
        await note_vendor_answer(unit, row)


async def write_vendor_note_entry(
    unit: Unit, row: VendorTicketRow, case: CaseRow, actor: str | None, content: str, details: dict[str, Any]
) -> EntryRow:
    """Write a note of either side into the thread of a case; without an actor it is the vendor's."""
    entry = EntryRow(
        id=new_id(),
        case_id=case.id,
        account_id=case.account_id,
        kind="vendor_note",
        audience="vendor",
        actor=actor,
        content=content,
        details={"vendor_ticket": str(row.id), **details},
        channel=None,
        about_outcome=None,
        sequence=None,
        entered_at=unit.now,
    )
    await thread_queries.insert_thread_entry(unit, entry)
    return entry


async def send_ticket_note(runtime: "Runtime", intent: Intent) -> str | None:
    """Send a note, unless the vendor has it already; what it refuses, or None. Raises RetryLater."""
    return await _send_note(runtime, open_support_desk(runtime), intent)


async def _send_note(runtime: "Runtime", desk: VendorSupportDesk, intent: Intent) -> str | None:
    ticket_id = UUID(intent.payload["ticket_id"])

    async def load(unit: Unit) -> tuple[VendorTicketRow, list[KnownTicketNote]]:
        return await ticket_queries.get_vendor_ticket(unit, ticket_id), await ticket_queries.list_ticket_notes(
            unit, ticket_id
        )

    ticket, former = await runtime.units.run(load)
    number = get_number_at_vendor(ticket)
    own = next(note for note in former if note.entry_id == intent.id)
    try:
        seen = await desk.fetch_vendor_ticket(number)
        recognised = (note.entry_id for note, _ in sort_ticket_notes(seen.notes, former).recognised)
        if own.fingerprint is None and intent.id not in recognised:
            await desk.add_vendor_note(number, own.content, intent.id)
    except TicketRefusedByVendor as refusal:
        return refusal.code
    return None


async def record_ticket_note_sent(unit: Unit, intent: Intent, refusal: str | None) -> RecordingOutcome:
    """Record that a note is at the vendor, or have a person enter it in the portal."""
    note = await ticket_queries.get_ticket_note(unit, intent.id)
    if refusal is None:
        note.sent_at = note.sent_at or unit.now
        await ticket_queries.save_ticket_note(unit, note)
        return RecordingOutcome.DONE
    row, case = await lock_vendor_ticket(unit, note.ticket_id)
    subject = f"the vendor takes no note of ticket {row.number} ({refusal}): enter it in the portal"
    await open_task(unit, row.account_id, f"vendor_note:{note.entry_id}", subject, [CaseLink("case", case.id)])
    return RecordingOutcome.DONE
