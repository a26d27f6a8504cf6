"""Messages to the customer: written in a case, sent by a worker, and recorded with what the next mail hop said."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.adapters import open_invoicing_records
from services.escalation.domain.cases import CaseState
from services.escalation.domain.mails import (
    MAIL_ALLOWED,
    CaseAccountMissing,
    MailState,
    OutcomeUnknown,
    choose_recipient_role,
    is_message_about_outcome,
)
from services.escalation.domain.state_moves import StateMoveRefused, move_state
from services.escalation.mail.case_letters import CaseMessage, LetterRecipient, write_case_letter
from services.escalation.repository import (
    case_mail_queries,
    case_queries,
    dispute_queries,
    inbound_mail_queries,
    thread_queries,
)
from services.escalation.tables import CaseMailRow, CaseRow, EntryRow
from services.escalation.use_cases.case_clocks import stop_first_answer_clock
from services.escalation.use_cases.cases import CaseLink, lock_case, open_task
from services.escalation.use_cases.collections_answers import fetch_next_step_date
from services.escalation.use_cases.informing import note_customer_informed
from shared.contracts.notice_facts import NoticeFacts, NoticeFactsIn
from shared.events.escalation import CustomerContacted
from shared.outside.mail import NOT_WRITABLE
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome
from shared.pure.addresses import is_mail_address
from shared.pure.bounces import build_envelope_sender, create_mail_secret
from shared.pure.errors import NotFound, RetryLater
from shared.pure.ids import new_id
from shared.web.clients import RefusedByService

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

SEND_CASE_MAIL = "send_case_mail"
PERSON_GONE = "550 the contact person is not there any more"
"""Refusal recorded for a message to a contact person who was erased, or is not asked any more."""
ACCOUNT_UNKNOWN = "550 invoicing has no such account"
"""Refusal recorded for a message of a case whose account nobody knows."""

WORDS_REMOVED = "550 the words of the message were removed"
"""Refusal recorded for a message to somebody who was erased before it was sent."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that somebody wrote to the customer; without a contact person it goes to that of the case's kind."""

    content: str
    about_outcome: bool
    contact_person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MessageToSend:
    """A message as it shall be sent, with whom it is for."""

    message: CaseMessage
    account_id: UUID
    role: str
    contact_person_id: UUID | None
    disputed_invoice_id: UUID | None
    """Invoice that is disputed in the case of the message."""
    tells_outcome: bool


async def write_case_message(unit: Unit, case_id: UUID, new: NewMessage, actor: str) -> tuple[EntryRow, CaseMailRow]:
    """Write a message that a worker sends. Raises NotFound, StateMoveRefused, CaseAccountMissing, OutcomeUnknown."""
    case = await lock_case(unit, case_id)
    account_id = _check_writable(case, new)
    entry = EntryRow(
        id=new_id(),
        case_id=case_id,
        account_id=account_id,
        kind="mail_out",
        audience="customer",
        actor=actor,
        content=new.content,
        details={},
        channel=None,
        about_outcome=None,
        sequence=None,
        entered_at=unit.now,
    )
    await thread_queries.insert_thread_entry(unit, entry)
    row = CaseMailRow(
        entry_id=entry.id,
        case_id=case_id,
        account_id=account_id,
        contact_person_id=new.contact_person_id or case.contact_person_id,
        secret=create_mail_secret(),
        in_reply_to=await inbound_mail_queries.find_last_customer_message(unit, case_id),
        about_outcome=new.about_outcome,
        outcome_sequence=case.outcome_sequence,
        sequence=None,
        state=MailState.QUEUED,
        code=None,
        queued_at=unit.now,
        settled_at=None,
    )
    await case_mail_queries.insert_case_mail(unit, row)
    await case_mail_queries.get_case_address_secret(unit, case_id, create_mail_secret())
    await intents.enqueue_intent(unit, SEND_CASE_MAIL, account_id, entry.id, {}, entry.id)
    unit.record(AuditedChange("message", entry.id, account_id))
    return entry, row


async def resend_customer_message(
    unit: Unit, case_id: UUID, entry_id: UUID, contact_person_id: UUID | None, actor: str
) -> tuple[EntryRow, CaseMailRow]:
    """Write a message again that did not arrive, to whom it was for or to another contact person.

    Raises NotFound, StateMoveRefused, CaseAccountMissing, OutcomeUnknown.
    """
    await lock_case(unit, case_id)
    row, entry = await case_mail_queries.get_case_mail(unit, entry_id)
    if row.case_id != case_id:
        raise NotFound(f"the case has no mail {entry_id}")
    if row.state not in (MailState.REFUSED, MailState.BOUNCED):
        raise StateMoveRefused(f"what is {row.state} is not sent again")
    if entry.removed_at is not None:
        raise StateMoveRefused("what the message said was removed")
    again = NewMessage(entry.content, row.about_outcome, contact_person_id or row.contact_person_id)
    return await write_case_message(unit, case_id, again, actor)


def _check_writable(case: CaseRow, new: NewMessage) -> UUID:
    if case.state == CaseState.MERGED:
        raise StateMoveRefused(f"the case goes on as {case.merged_into}")
    if case.account_id is None:
        raise CaseAccountMissing("the case is of no account: there is nobody to write to")
    if new.about_outcome and case.outcome_sequence is None:
        raise OutcomeUnknown("the outcome is not known yet: resolve the case first, or say that this is not about it")
    return case.account_id


async def send_customer_message(runtime: "Runtime", intent: Intent) -> str | None:
    """Ask invoicing whom to write to, and hand the message to the next hop; what it says if it refuses for good.

    Raises RetryLater. Every attempt has the same Message-ID and sender of the envelope.
    """
    sending, now = await runtime.units.run(lambda unit: _load_sending(unit, UUID(intent.key)))
    if not sending.message.content:
        return WORDS_REMOVED
    facts = await _ask_invoicing(runtime, sending)
    if facts is None:
        return ACCOUNT_UNKNOWN
    reader = await _find_reader(runtime, sending, now.date())
    if reader is None:
        return PERSON_GONE
    if not is_mail_address(reader.email):
        return NOT_WRITABLE
    support_address = runtime.settings.support_address
    disputed = sending.disputed_invoice_id
    next_day = await fetch_next_step_date(runtime, disputed) if disputed and sending.tells_outcome else None
    number = next((invoice.number for invoice in facts.invoices), None)
    mail = write_case_letter(sending.message, reader, facts.seller, support_address, number, next_day)
    sender = build_envelope_sender(support_address, sending.message.secret)
    return await runtime.mail_hop.deliver_letter_once(mail, now - intent.created_at, sender)


async def _load_sending(unit: Unit, entry_id: UUID) -> tuple[MessageToSend, datetime]:
    row, entry = await case_mail_queries.get_case_mail(unit, entry_id)
    case = await case_queries.get_case(unit, row.case_id)
    token = await case_mail_queries.get_case_address_secret(unit, case.id, create_mail_secret())
    message = CaseMessage(
        id=entry.id,
        case_number=case.number,
        case_kind=case.kind,
        case_subject=None if case.is_subject_internal else case.subject,
        content=entry.content,
        token=token,
        secret=row.secret,
        in_reply_to=row.in_reply_to,
        written_at=row.queued_at,
    )
    disputed = await dispute_queries.find_disputed_invoice(unit, row.account_id, case.id)
    tells_outcome = is_message_about_outcome(row.about_outcome, row.outcome_sequence, case.outcome_sequence)
    role = choose_recipient_role(case.kind)
    return MessageToSend(message, row.account_id, role, row.contact_person_id, disputed, tells_outcome), unit.now


async def _ask_invoicing(runtime: "Runtime", sending: MessageToSend) -> NoticeFacts | None:
    """Ask for what a mail states; None where invoicing has no such account. Raises RetryLater."""
    invoice_ids = [sending.disputed_invoice_id] if sending.disputed_invoice_id else []
    question = NoticeFactsIn(invoice_ids=invoice_ids, subscription_ids=[])
    try:
        return await open_invoicing_records(runtime).fetch_letter_facts(sending.account_id, question)
    except RefusedByService as refused:
        if refused.status == 404:
            return None
        raise RetryLater(str(refused)) from refused


async def _find_reader(runtime: "Runtime", sending: MessageToSend, today: date) -> LetterRecipient | None:
    """Find whom a message is for; None where that contact person is gone. Raises RetryLater."""
    try:
        if sending.contact_person_id is None:
            return await _find_addressee(runtime, sending)
        return await _find_person(runtime, sending, sending.contact_person_id, today)
    except RefusedByService as refused:
        if sending.contact_person_id and refused.status == 404:
            return None
        raise RetryLater(str(refused)) from refused


async def _find_addressee(runtime: "Runtime", sending: MessageToSend) -> LetterRecipient:
    addressee = await open_invoicing_records(runtime).fetch_addressee(sending.account_id, sending.role)
    return LetterRecipient(addressee.name, addressee.email, addressee.language)


async def _find_person(
    runtime: "Runtime", sending: MessageToSend, contact_person_id: UUID, today: date
) -> LetterRecipient | None:
    person = await open_invoicing_records(runtime).fetch_contact_person(sending.account_id, contact_person_id)
    if person.name is None or person.email is None or (person.valid_to is not None and person.valid_to <= today):
        return None
    return LetterRecipient(person.name, person.email, person.language)


async def record_message_sent(unit: Unit, intent: Intent, refusal: str | None) -> RecordingOutcome:
    """Record what became of a message: a contact with the customer, or a task for a person."""
    row, _ = await case_mail_queries.get_case_mail(unit, UUID(intent.key))
    if row.state != MailState.QUEUED:
        return RecordingOutcome.DONE
    row.settled_at = unit.now
    if refusal is None:
        await _record_contact(unit, row)
    else:
        row.state = move_state(MAIL_ALLOWED, MailState(row.state), MailState.REFUSED)
        row.code = refusal[:3]
        subject = "a message to the customer was refused: find out how they are reached"
        links = [CaseLink("case", row.case_id)]
        await open_task(unit, row.account_id, f"mail_refused:{row.case_id}", subject, links)
    await case_mail_queries.save_case_mail(unit, row)
    return RecordingOutcome.DONE


async def _record_contact(unit: Unit, row: CaseMailRow) -> None:
    case = await case_queries.get_case(unit, row.case_id)
    row.state = move_state(MAIL_ALLOWED, MailState(row.state), MailState.DELIVERED)
    about_outcome = is_message_about_outcome(row.about_outcome, row.outcome_sequence, case.outcome_sequence)
    row.sequence = unit.publish(
        CustomerContacted(
            case_id=row.case_id,
            account_id=row.account_id,
            contact_id=row.entry_id,
            channel="email",
            about_outcome=about_outcome,
        )
    )
    if about_outcome:
        note_customer_informed(case)
        await case_queries.save_case(unit, case)
    target = case if case.merged_into is None else await case_queries.get_case(unit, case.merged_into)
    await stop_first_answer_clock(unit, target)
