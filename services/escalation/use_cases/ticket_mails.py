"""Requests to a distributor go by mail, with their evidence packs; its answers come back as notes of the vendor."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.domain.cases import UNRESOLVED, CaseState
from services.escalation.domain.evidence_packs import EvidencePackFile, build_evidence_pack, render_vendor_ticket
from services.escalation.domain.inbound_mails import INBOUND_ALLOWED, InboundState
from services.escalation.domain.mails import MAIL_ALLOWED, MailState
from services.escalation.domain.state_moves import StateMoveRefused, move_state
from services.escalation.domain.vendor_tickets import TicketStatus
from services.escalation.mail.distributor_mails import DistributorMail, write_distributor_mail
from services.escalation.repository import (
    case_queries,
    handover_queries,
    inbound_mail_queries,
    ticket_mail_queries,
    ticket_queries,
)
from services.escalation.tables import CaseRow, EntryRow, InboundMailRow, VendorTicketMailRow, VendorTicketRow
from services.escalation.use_cases.attachments import move_mail_files
from services.escalation.use_cases.case_clocks import begin_case_clocks
from services.escalation.use_cases.case_moves import advance_case
from services.escalation.use_cases.cases import CaseLink, open_task, write_internal_entry
from services.escalation.use_cases.handovers import check_case_unresolved
from services.escalation.use_cases.ticket_files import build_evidence_pack_files, build_ticket_text, load_ticket_files
from services.escalation.use_cases.ticket_moves import get_ticket_lock_subject, lock_vendor_ticket, note_vendor_answer
from services.escalation.use_cases.ticket_notes import write_ticket_note, write_vendor_note_entry
from shared.outside.mail import NOT_WRITABLE, build_message_id
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome
from shared.pure.addresses import is_mail_address
from shared.pure.bounces import build_envelope_sender, create_mail_secret
from shared.pure.errors import Refusal
from shared.pure.ids import new_id
from shared.pure.state_tables import can_transition

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

SEND_TICKET_MAIL = "send_ticket_mail"
"""The kind of the intent; its id and key are the mail's."""
MAX_MAILS = 100
"""How many mails are sent for a ticket."""


class VendorNotReachedByMail(Refusal):
    """The vendor is not reached through a distributor here: a person opens the request in the portal."""

    code = "not_by_mail"


@dataclass(frozen=True, slots=True)
class _Sending:
    ticket: VendorTicketRow
    mail: VendorTicketMailRow
    note: EntryRow | None
    files: list[EvidencePackFile]
    in_reply_to: str | None
    now: datetime


async def enqueue_distributor_request(unit: Unit, ticket_id: UUID, actor: str) -> VendorTicketRow:
    """Want a prepared request sent to the distributor, once unless it did not arrive.

    Raises NotFound, VendorNotReachedByMail, StateMoveRefused.
    """
    row, case = await lock_vendor_ticket(unit, ticket_id)
    channel = await handover_queries.find_vendor_channel(unit, row.legal_entity)
    if row.channel != "distributor" or channel is None or channel.distributor_email is None:
        raise VendorNotReachedByMail(f"{row.legal_entity} has no distributor, or had none when the ticket was prepared")
    if row.status != TicketStatus.PREPARED:
        raise StateMoveRefused(f"the ticket is {row.status}: only one that is prepared is sent")
    check_case_unresolved(case)
    former = await ticket_mail_queries.list_ticket_mails(unit, ticket_id, MAX_MAILS)
    if any(mail.state in (MailState.QUEUED, MailState.DELIVERED) for mail in former):
        raise StateMoveRefused("the request was sent, or waits to be")
    mail = await _queue_mail(unit, row, channel.distributor_email, None, actor)
    await write_internal_entry(unit, case, "change", actor, "", {"vendor_ticket": str(row.id), "mail": str(mail.id)})
    unit.record(AuditedChange("vendor_ticket_mail", mail.id, row.account_id))
    return row


async def mail_ticket_note(unit: Unit, ticket_id: UUID, content: str, actor: str) -> EntryRow:
    """Write a note of ours into a ticket, and want it sent: to the distributor by mail, if the request went so.

    Raises NotFound, TicketNotAtVendor, StateMoveRefused.
    """
    entry = await write_ticket_note(unit, ticket_id, content, actor)
    former = await ticket_mail_queries.list_ticket_mails(unit, ticket_id, MAX_MAILS)
    if former:
        row = await ticket_queries.get_vendor_ticket(unit, ticket_id)
        await _queue_mail(unit, row, former[-1].recipient, entry.id, actor)
    return entry


async def _queue_mail(
    unit: Unit, row: VendorTicketRow, recipient: str, entry_id: UUID | None, actor: str
) -> VendorTicketMailRow:
    if len(await ticket_mail_queries.list_ticket_mails(unit, row.id, MAX_MAILS)) == MAX_MAILS:
        raise StateMoveRefused(
            f"{MAX_MAILS} mails were sent for this ticket: write by hand, and record what is answered"
        )
    mail = VendorTicketMailRow(
        id=new_id(),
        ticket_id=row.id,
        entry_id=entry_id,
        recipient=recipient,
        reply_token=create_mail_secret(),
        secret=create_mail_secret(),
        state=MailState.QUEUED,
        code=None,
        queued_by=actor,
        queued_at=unit.now,
        settled_at=None,
    )
    await ticket_mail_queries.save_ticket_mail(unit, mail)
    await intents.enqueue_intent(unit, SEND_TICKET_MAIL, get_ticket_lock_subject(row), mail.id, {}, mail.id)
    return mail


async def send_ticket_mail(runtime: "Runtime", intent: Intent) -> str | None:
    """Hand a mail for the distributor to the next hop; what it says if it refuses for good. Raises RetryLater."""
    sending = await runtime.units.run(lambda unit: _load_sending(unit, intent.id))
    mail, support_address = sending.mail, runtime.settings.support_address
    if not is_mail_address(mail.recipient):
        return NOT_WRITABLE
    written = await asyncio.to_thread(_write_mail, sending, support_address)
    sender = build_envelope_sender(support_address, mail.secret)
    return await runtime.mail_hop.deliver_letter_once(written, sending.now - intent.created_at, sender)


async def _load_sending(unit: Unit, mail_id: UUID) -> _Sending:
    mail = await ticket_mail_queries.get_ticket_mail(unit, mail_id)
    ticket = await ticket_queries.get_vendor_ticket(unit, mail.ticket_id)
    note, files = None, []
    if mail.entry_id is None:
        files = build_evidence_pack_files(await load_ticket_files(unit, ticket.case_id, ticket.attachment_ids))
    else:
        note = await unit.session.get(EntryRow, mail.entry_id)
    return _Sending(ticket, mail, note, files, await _find_former_id(unit, ticket, mail), unit.now)


async def _find_former_id(unit: Unit, ticket: VendorTicketRow, mail: VendorTicketMailRow) -> str | None:
    """Find the Message-ID that a mail answers: of the distributor's last one, else of our first."""
    case = await case_queries.get_case(unit, ticket.case_id)
    answered = await ticket_mail_queries.find_last_distributor_message(unit, ticket.id, case.merged_into or case.id)
    first = (await ticket_mail_queries.list_ticket_mails(unit, ticket.id, 1))[0]
    own = None if first.id == mail.id else build_message_id(first.id, first.secret)
    return answered or own


def _write_mail(sending: _Sending, support_address: str) -> EmailMessage:
    ticket, mail, text = sending.ticket, sending.mail, build_ticket_text(sending.ticket)
    is_request = sending.note is None
    request = DistributorMail(
        id=mail.id,
        company=ticket.contact["company"],
        recipient=mail.recipient,
        subject=ticket.title if is_request else f"Re: {ticket.title}",
        content=render_vendor_ticket(text) if sending.note is None else sending.note.content,
        pack=build_evidence_pack(text, sending.files, ticket.prepared_at) if is_request else None,
        token=mail.reply_token,
        secret=mail.secret,
        in_reply_to=sending.in_reply_to,
        written_at=mail.queued_at,
    )
    return write_distributor_mail(request, support_address)


async def record_ticket_mail(unit: Unit, intent: Intent, refusal: str | None) -> RecordingOutcome:
    """Record what became of a mail: the case waits for the vendor, or a person has a task."""
    mail = await ticket_mail_queries.get_ticket_mail(unit, intent.id)
    if mail.state != MailState.QUEUED:
        return RecordingOutcome.DONE
    row, case = await lock_vendor_ticket(unit, mail.ticket_id)
    wanted = MailState.DELIVERED if refusal is None else MailState.REFUSED
    mail.state, mail.settled_at = move_state(MAIL_ALLOWED, MailState(mail.state), wanted), unit.now
    mail.code = None if refusal is None else refusal[:3]
    await ticket_mail_queries.save_ticket_mail(unit, mail)
    if refusal is not None:
        await _open_mail_task(unit, row, case, "was refused")
    elif mail.entry_id is not None:
        note = await ticket_queries.get_ticket_note(unit, mail.entry_id)
        note.sent_at = unit.now
        await ticket_queries.save_ticket_note(unit, note)
    elif CaseState(case.state) in UNRESOLVED:
        states = (CaseState.IN_PROGRESS, CaseState.WAITING_FOR_VENDOR)
        await advance_case(unit, case, states, None, "the distributor was asked by mail")
    return RecordingOutcome.DONE


async def _open_mail_task(unit: Unit, row: VendorTicketRow, case: CaseRow, words: str) -> None:
    subject = f"a mail to the distributor {words}: find out how they are reached"
    await open_task(unit, row.account_id, f"ticket_mail:{row.id}", subject, [CaseLink("case", case.id)])


async def record_distributor_mail_bounce(unit: Unit, secrets: Collection[str], code: str) -> bool:
    """Record that a mail to a distributor came back; whether it is one. Nobody was asked then: it is our turn."""
    mail = await ticket_mail_queries.find_bounced_ticket_mail(unit, secrets)
    if mail is None:
        return False
    row, case = await lock_vendor_ticket(unit, mail.ticket_id)
    mail = await ticket_mail_queries.get_ticket_mail(unit, mail.id)
    if can_transition(MAIL_ALLOWED, MailState(mail.state), MailState.BOUNCED):
        mail.state, mail.settled_at = move_state(MAIL_ALLOWED, MailState(mail.state), MailState.BOUNCED), unit.now
        mail.code = code
        await ticket_mail_queries.save_ticket_mail(unit, mail)
        await _open_mail_task(unit, row, case, "came back")
        if case.state == CaseState.WAITING_FOR_VENDOR and row.status == TicketStatus.PREPARED:
            await _resume_case(unit, case, "the mail to the distributor came back")
    return True


async def save_distributor_answer(unit: Unit, row: InboundMailRow, case: CaseRow, actor: str | None) -> None:
    """Let a distributor's mail be a note of the vendor in a case, whose account is locked; it is our turn then.

    The customer is not shown it, and it is no unread answer of theirs.
    """
    ticket = await ticket_queries.get_vendor_ticket(unit, UUID(row.details["vendor_ticket"]))
    await move_mail_files(unit, row, case.id, "vendor")
    details = {"inbound_mail_id": str(row.id), "subject": row.subject, **row.details}
    entry = await write_vendor_note_entry(unit, ticket, case, None, row.content, details)
    row.state = move_state(INBOUND_ALLOWED, InboundState(row.state), InboundState.JOINED)
    row.case_id, row.entry_id, row.settled_at, row.settled_by, row.content = case.id, entry.id, unit.now, actor, ""
    row.read_at = unit.now
    await inbound_mail_queries.save_inbound_mail(unit, row)
    of_ticket = await case_queries.get_case(unit, ticket.case_id)
    if case.id in (of_ticket.id, of_ticket.merged_into):
        await _take_answer(unit, ticket, case)


async def _take_answer(unit: Unit, ticket: VendorTicketRow, case: CaseRow) -> None:
    if ticket.number is not None:
        await note_vendor_answer(unit, ticket)
        await ticket_queries.save_vendor_ticket(unit, ticket)
    if case.state == CaseState.WAITING_FOR_VENDOR:
        await _resume_case(unit, case, "the distributor has answered by mail")
    elif CaseState(case.state) not in UNRESOLVED:
        subject = f"the distributor has answered in a case that is {case.state}"
        await open_task(unit, ticket.account_id, f"vendor_ticket:{ticket.id}", subject, [CaseLink("case", case.id)])


async def _resume_case(unit: Unit, case: CaseRow, words: str) -> None:
    await advance_case(unit, case, (CaseState.IN_PROGRESS,), None, words)
    await begin_case_clocks(unit, case, ("update",))
