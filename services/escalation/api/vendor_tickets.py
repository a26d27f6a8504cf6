"""Vendor tickets over REST: prepared, submitted by a person, kept in step with the vendor, and confirmed."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from services.escalation import use_cases
from services.escalation.api.threads import EntryOut
from services.escalation.api.ticket_bodies import (
    CorrectedNumberIn,
    TicketNoteIn,
    TicketSightingIn,
    TicketSolutionIn,
    TicketSubmissionIn,
    VendorTicketDetailsOut,
    VendorTicketIn,
    VendorTicketOut,
)
from services.escalation.domain.evidence_packs import EvidencePackFile, build_evidence_pack
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.domain.vendor_tickets import TicketNotAtVendor, TicketStatus, VendorTicketNote
from services.escalation.repository import ticket_mail_queries, ticket_queries
from services.escalation.repository.ticket_queries import VendorTicketCriteria
from services.escalation.tables import VendorTicketRow
from services.escalation.use_cases.handovers import HandoverIncomplete
from services.escalation.use_cases.resources import SupportContractUsedUp
from services.escalation.use_cases.ticket_files import (
    TicketFileInternal,
    TicketFilesTooLarge,
    TicketFileUnchanged,
    TicketFileUnknown,
    build_evidence_pack_files,
    build_ticket_text,
    load_ticket_files,
)
from services.escalation.use_cases.ticket_moves import TicketNumberTaken
from services.escalation.use_cases.vendor_tickets import (
    ContactDetailsUndecided,
    InternalEntryForVendor,
    NotASupportContract,
    UnknownCaseEntry,
    VendorChannelMissing,
)
from shared.persistence.database import Unit
from shared.pure.fields import ReasonIn
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1", tags=["vendor tickets"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["vendor tickets"], dependencies=[needs("escalation:write")], responses=PROBLEMS)

ZIP = "application/octet-stream"
"""Media type of a ZIP that clients take as a file whatever it is."""
PACK: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a ZIP: the text of the request, its entries and its files",
        "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
        "headers": {"Content-Disposition": {"description": "its name", "schema": {"type": "string"}}},
    }
}


async def load_ticket_details(unit: Unit, ticket_id: UUID) -> VendorTicketDetailsOut:
    """Load a ticket with its mails. Raises NotFound."""
    row = await ticket_queries.get_vendor_ticket(unit, ticket_id)
    mails = await ticket_mail_queries.list_ticket_mails(unit, ticket_id, use_cases.ticket_mails.MAX_MAILS)
    return VendorTicketDetailsOut.from_rows(row, mails)


@writes.post(
    "/cases/{case_id}/vendor-tickets",
    status_code=201,
    response_model=VendorTicketDetailsOut,
    summary="Prepare a request to the vendor",
    responses=refusals(
        HandoverIncomplete,
        StateMoveRefused,
        VendorChannelMissing,
        ContactDetailsUndecided,
        InternalEntryForVendor,
        UnknownCaseEntry,
        TicketFileInternal,
        TicketFilesTooLarge,
        TicketFileUnchanged,
        TicketFileUnknown,
        NotASupportContract,
    ),
)
async def prepare_ticket(
    case_id: UUID, wanted: VendorTicketIn, command: Annotated[CommandRunner, perform_command("vendor_ticket.prepare")]
) -> Response:
    """Prepare what a person opens in the vendor's portal, with contact data of ours.

    409 `handover_incomplete` names in `missing` what must be done before; 409 `contact_details_undecided` names in
    `details` addresses and numbers of people, each of which is to be removed or let through by `decisions`. A file that
    cannot be searched is let through by its id.
    """
    new = wanted.build_ticket()
    material = await use_cases.vendor_tickets.gather_ticket_material(command.runtime, case_id, new)

    async def prepare(unit: Unit) -> VendorTicketDetailsOut:
        actor = command.caller.subject
        row = await use_cases.vendor_tickets.prepare_vendor_ticket(unit, case_id, new, material, actor)
        return VendorTicketDetailsOut.from_rows(row, [])

    return await command.run(prepare, subject=case_id)


@reads.get("/vendor-tickets", summary="List requests to the vendor")
async def list_tickets(
    read: Read,
    paging: Paging,
    status: Annotated[TicketStatus | None, Query()] = None,
    case_id: Annotated[UUID | None, Query(description="with the cases that were merged into it")] = None,
    account_id: Annotated[UUID | None, Query()] = None,
) -> Page[VendorTicketOut]:
    """Tickets in the order of their ids, which is that of their preparation. Filters combine."""
    criteria, after = VendorTicketCriteria(status, case_id, account_id), paging.get_last_id()
    rows = await read(lambda unit: ticket_queries.list_vendor_tickets(unit, criteria, after, paging.limit + 1))
    return paging.page([VendorTicketOut.from_row(row) for row in rows], key=lambda ticket: ticket.id)


@reads.get("/vendor-tickets/{ticket_id}", summary="One request to the vendor")
async def get_ticket(ticket_id: UUID, read: Read) -> VendorTicketDetailsOut:
    """The ticket as it is now, with the text to be pasted, and the mails to the distributor."""
    return await read(lambda unit: load_ticket_details(unit, ticket_id))


@reads.get(
    "/vendor-tickets/{ticket_id}/evidence-pack",
    summary="The evidence pack of a request",
    response_class=Response,
    responses=PACK,
)
async def download_evidence_pack(ticket_id: UUID, read: Read) -> Response:
    """The text of the request, its entries and files as one ZIP, to be attached in the portal."""

    async def load(unit: Unit) -> tuple[VendorTicketRow, list[EvidencePackFile]]:
        row = await ticket_queries.get_vendor_ticket(unit, ticket_id)
        return row, build_evidence_pack_files(await load_ticket_files(unit, row.case_id, row.attachment_ids))

    row, files = await read(load)
    pack = await asyncio.to_thread(build_evidence_pack, build_ticket_text(row), files, row.prepared_at)
    headers = {"content-disposition": f'attachment; filename="vendor-ticket-{row.id}.zip"'}
    return Response(pack, headers=headers, media_type=ZIP)


@writes.post(
    "/vendor-tickets/{ticket_id}:submit",
    status_code=200,
    response_model=VendorTicketOut,
    summary="Record the vendor's number of a request",
    responses=refusals(StateMoveRefused, TicketNumberTaken, SupportContractUsedUp),
)
async def submit_ticket(
    ticket_id: UUID,
    submitted: TicketSubmissionIn,
    command: Annotated[CommandRunner, perform_command("vendor_ticket.submit")],
) -> Response:
    """A person has opened the request: the case waits for the vendor, whose clock begins."""

    async def submit(unit: Unit) -> VendorTicketOut:
        actor = command.caller.subject
        return VendorTicketOut.from_row(
            await use_cases.ticket_moves.record_ticket_submitted(unit, ticket_id, submitted.number, actor)
        )

    return await command.run(submit, status=200, subject=ticket_id)


@writes.post(
    "/vendor-tickets/{ticket_id}:set-number",
    status_code=200,
    response_model=VendorTicketOut,
    summary="Correct the vendor's number of a request",
    responses=refusals(StateMoveRefused, TicketNotAtVendor, TicketNumberTaken),
)
async def correct_ticket_number(
    ticket_id: UUID,
    corrected: CorrectedNumberIn,
    command: Annotated[CommandRunner, perform_command("vendor_ticket.set_number")],
) -> Response:
    """Record another number of a request that was submitted; the thread keeps the former one."""

    async def correct(unit: Unit) -> VendorTicketOut:
        actor = command.caller.subject
        return VendorTicketOut.from_row(
            await use_cases.ticket_moves.set_ticket_number(unit, ticket_id, corrected.number, actor, corrected.reason)
        )

    return await command.run(correct, status=200, reason=corrected.reason, subject=ticket_id)


@writes.post(
    "/vendor-tickets/{ticket_id}:discard",
    status_code=200,
    response_model=VendorTicketOut,
    summary="Discard a request that nobody submits",
    responses=refusals(StateMoveRefused),
)
async def discard_ticket(
    ticket_id: UUID, basis: ReasonIn, command: Annotated[CommandRunner, perform_command("vendor_ticket.discard")]
) -> Response:
    """The request is not opened at the vendor; it stays to be seen."""

    async def discard(unit: Unit) -> VendorTicketOut:
        actor = command.caller.subject
        return VendorTicketOut.from_row(
            await use_cases.ticket_moves.discard_vendor_ticket(unit, ticket_id, actor, basis.reason)
        )

    return await command.run(discard, status=200, reason=basis.reason, subject=ticket_id)


@writes.post(
    "/vendor-tickets/{ticket_id}:record-status",
    status_code=200,
    response_model=VendorTicketOut,
    summary="Record what was seen of a request",
    responses=refusals(TicketNotAtVendor, StateMoveRefused),
)
async def record_status(
    ticket_id: UUID,
    seen: TicketSightingIn,
    command: Annotated[CommandRunner, perform_command("vendor_ticket.record_status")],
) -> Response:
    """Record status and words of a ticket that the vendor does not show us, or that a distributor has."""

    async def record(unit: Unit) -> VendorTicketOut:
        notes = [] if seen.note is None else [VendorTicketNote("", None, seen.note)]
        row = await use_cases.ticket_readings.record_ticket_status(
            unit, ticket_id, TicketStatus(seen.status), notes, command.caller.subject
        )
        return VendorTicketOut.from_row(row)

    return await command.run(record, status=200, subject=ticket_id)


@writes.post(
    "/vendor-tickets/{ticket_id}:confirm-solution",
    status_code=200,
    response_model=VendorTicketOut,
    summary="Say whether the vendor solved the problem",
    responses=refusals(StateMoveRefused),
)
async def confirm_solution(
    ticket_id: UUID,
    confirmed: TicketSolutionIn,
    command: Annotated[CommandRunner, perform_command("vendor_ticket.confirm_solution")],
) -> Response:
    """Say it of a ticket that the vendor has closed. The case goes on as it is: it is resolved by its own outcome."""

    async def confirm(unit: Unit) -> VendorTicketOut:
        actor = command.caller.subject
        row = await use_cases.ticket_moves.confirm_vendor_solution(
            unit, ticket_id, confirmed.solved, actor, confirmed.reason
        )
        return VendorTicketOut.from_row(row)

    return await command.run(confirm, status=200, reason=confirmed.reason, subject=ticket_id)


@writes.post(
    "/vendor-tickets/{ticket_id}/notes",
    status_code=201,
    response_model=EntryOut,
    summary="Write to the vendor",
    responses=refusals(TicketNotAtVendor, ContactDetailsUndecided, StateMoveRefused),
)
async def add_ticket_note(
    ticket_id: UUID, note: TicketNoteIn, command: Annotated[CommandRunner, perform_command("vendor_ticket.note")]
) -> Response:
    """Write a note into the ticket and the thread; a worker sends it to the vendor, or to the distributor by mail."""
    decisions = [decision.build_decision() for decision in note.decisions]
    content = await use_cases.ticket_notes.clean_ticket_note(command.runtime, ticket_id, note.content, decisions)

    async def add(unit: Unit) -> EntryOut:
        actor = command.caller.subject
        return EntryOut.from_row(await use_cases.ticket_mails.mail_ticket_note(unit, ticket_id, content, actor))

    return await command.run(add, subject=ticket_id)
