"""Mails come in: they join a case as an entry, or wait for a person; they decide nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.domain.attachments import CheckedFile
from services.escalation.domain.cases import CASE_ALLOWED, CaseState
from services.escalation.domain.inbound_mails import (
    INBOUND_ALLOWED,
    InboundMail,
    InboundState,
    TriageReason,
)
from services.escalation.domain.mails import choose_role, find_secrets
from services.escalation.domain.moves import MoveRefused, move
from services.escalation.repository import attachments, case_queries, inbound_mails, threads, ticket_mails
from services.escalation.repository.ticket_mails import AnsweredTicket
from services.escalation.tables import CaseRow, EntryRow, InboundMailRow
from services.escalation.use_cases.attachments import keep_files
from services.escalation.use_cases.bounces import record_bounce
from services.escalation.use_cases.case_moves import enter_state
from services.escalation.use_cases.cases import NewCase, enter_internally, lock_case, open_case
from services.escalation.use_cases.ticket_mails import join_ticket
from shared.audit import Change
from shared.clients import Answered
from shared.database import Unit
from shared.errors import Later
from shared.ids import new_id

if TYPE_CHECKING:
    from shared.runtime import Runtime

MAX_PAGES = 20
"""How many pages of contact persons are read of an account."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Claim of a mail to a case, by the address that it came to; without a reason it may join."""

    case_id: UUID | None
    account_id: UUID | None
    reason: TriageReason | None
    contact_person_id: UUID | None = None
    ticket_id: UUID | None = None
    """Vendor ticket to whose address it came."""


async def check_claim(runtime: "Runtime", mail: InboundMail) -> Claim:
    """Check whether a mail may join a case: by its address, and by the sender, of whom invoicing knows."""
    if not mail.is_readable:
        return Claim(None, None, TriageReason.UNREADABLE)
    tokens = find_secrets(runtime.settings.support_address, mail.recipients).reply_tokens

    async def load(unit: Unit) -> tuple[AnsweredTicket | None, CaseRow | None, date]:
        answered = await ticket_mails.find_answered(unit, tokens)
        return answered, await inbound_mails.find_case_of_address(unit, tokens), unit.now.date()

    answered, case, today = await runtime.units.run(load)
    if answered is not None:
        return _claim_ticket(answered, mail.sender)
    if case is None or case.account_id is None:
        return Claim(None, None, TriageReason.NO_CASE_ADDRESS)
    try:
        is_known, person_id = await _find_sender(runtime, case, mail.sender, today)
    except (Later, Answered):
        return Claim(None, None, TriageReason.SENDER_UNCHECKED)
    if not is_known:
        return Claim(None, None, TriageReason.SENDER_UNKNOWN)
    return Claim(case.id, case.account_id, None, person_id)


def _claim_ticket(answered: AnsweredTicket, sender: str | None) -> Claim:
    """Let a mail to the address of a vendor ticket join it, if it is of whom we have written to."""
    ticket = answered.ticket
    if sender != answered.recipient.lower():
        return Claim(None, None, TriageReason.SENDER_UNKNOWN, ticket_id=ticket.id)
    return Claim(ticket.case_id, ticket.account_id, None, ticket_id=ticket.id)


async def _find_sender(runtime: "Runtime", case: CaseRow, sender: str | None, today: date) -> tuple[bool, UUID | None]:
    """Find the contact person with this address, or whom we would write to. Raises Later, Answered."""
    if sender is None:
        return False, None
    after = ""
    for _ in range(MAX_PAGES):
        path = f"/v1/accounts/{case.account_id}/contact-persons?valid_on={today.isoformat()}&limit=200{after}"
        page = await runtime.clients["invoicing"].get(path)
        for person in page["items"]:
            if person["email"] is not None and person["email"].lower() == sender:
                return True, UUID(person["id"])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    path = f"/v1/accounts/{case.account_id}/addressee?role={choose_role(case.kind)}"
    addressee = await runtime.clients["invoicing"].get(path)
    return addressee["email"].lower() == sender, None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail as it arrived, with its claim to a case and the files that are kept of it."""

    mail: InboundMail
    claim: Claim
    files: Sequence[CheckedFile] = ()
    refused_files: Sequence[str] = ()
    """The names of those that are not kept."""


async def take_mail(unit: Unit, arrival: Arrival, support_address: str) -> InboundMailRow:
    """Take a mail in, once for its Message-ID; the same content again is the mail that is here."""
    case, claim = None, arrival.claim
    if claim.case_id is not None:
        await unit.lock(claim.account_id or claim.case_id)
        case = await case_queries.get_case(unit, claim.case_id)
        case = case if case.merged_into is None else await case_queries.get_case(unit, case.merged_into)
    row = _build_row(unit, arrival)
    if not await inbound_mails.insert_mail(unit, row):
        former = await _find_or_keep(unit, row)
        if former is not None:
            unit.record_nothing()
            return former
        case = None
    unit.record(Change("inbound_mail", row.id, claim.account_id if case else None))
    row = await inbound_mails.get_mail(unit, row.id)
    await _follow_kind(unit, row, arrival, case, support_address)
    return row


async def _find_or_keep(unit: Unit, row: InboundMailRow) -> InboundMailRow | None:
    """Find the same mail that came before; another one with its Message-ID is kept, in triage."""
    row.is_first, row.state, row.reason = False, InboundState(InboundState.TRIAGE), TriageReason.MESSAGE_ID_REUSED
    if await inbound_mails.insert_mail(unit, row):
        return None
    former = await inbound_mails.find_same(unit, row.mail_key, row.digest)
    assert former is not None
    return former


async def _follow_kind(
    unit: Unit, row: InboundMailRow, arrival: Arrival, case: CaseRow | None, support_address: str
) -> None:
    mail = arrival.mail
    await unit.lock(row.id)
    if row.state == InboundState.TRIAGE:
        await keep_files(unit, row.id, arrival.files)
    if row.state == InboundState.BOUNCE and mail.bounce is not None:
        secrets = mail.bounce.secrets | find_secrets(support_address, mail.recipients).bounce_secrets
        await record_bounce(unit, secrets, mail.bounce.code)
    elif row.state == InboundState.TRIAGE and case is not None:
        await _join(unit, row, case, None, arrival.claim.contact_person_id)


def _build_row(unit: Unit, arrival: Arrival) -> InboundMailRow:
    mail = arrival.mail
    state, reason = InboundState.TRIAGE, arrival.claim.reason
    if mail.bounce is not None:
        state, reason = InboundState.BOUNCE, None
    elif mail.is_automatic:
        state, reason = InboundState.AUTOMATIC, None
    return InboundMailRow(
        id=new_id(),
        mail_key=mail.key,
        digest=mail.digest,
        is_first=True,
        message_id=mail.message_id,
        state=state,
        reason=reason,
        case_id=None,
        entry_id=None,
        sender=mail.sender,
        subject=mail.subject,
        content=mail.content,
        details={
            "is_cut": mail.is_cut,
            "files": [file.name for file in arrival.files],
            "refused_files": list(arrival.refused_files),
            **({"vendor_ticket": str(arrival.claim.ticket_id)} if arrival.claim.ticket_id else {}),
        },
        received_at=unit.now,
        settled_at=None,
        settled_by=None,
        read_at=None,
    )


async def _join(unit: Unit, row: InboundMailRow, case: CaseRow, actor: str | None, person_id: UUID | None) -> None:
    """Let a mail be an entry of a case, whose account is locked; what waited for the customer goes on.

    One that came to the address of a vendor ticket is the vendor's, whoever lets it join.
    """
    if "vendor_ticket" in row.details:
        await join_ticket(unit, row, case, actor)
        return
    entry = EntryRow(
        id=new_id(),
        case_id=case.id,
        account_id=case.account_id,
        kind="mail_in",
        audience="customer",
        actor=actor,
        content=row.content,
        details={
            "inbound_mail_id": str(row.id),
            "subject": row.subject,
            "contact_person_id": None if person_id is None else str(person_id),
            **row.details,
        },
        channel=None,
        about_outcome=None,
        sequence=None,
        entered_at=unit.now,
    )
    await threads.insert_entry(unit, entry)
    row.state = move(INBOUND_ALLOWED, InboundState(row.state), InboundState.JOINED)
    row.case_id, row.entry_id, row.settled_at, row.settled_by, row.content = case.id, entry.id, unit.now, actor, ""
    row.contact_person_id = person_id
    await inbound_mails.save_mail(unit, row)
    await attachments.place_in_case(unit, row.id, case.id, "customer")
    case.unread_answers += 1
    if case.state == CaseState.WAITING_FOR_CUSTOMER:
        wanted = move(CASE_ALLOWED, CaseState(case.state), CaseState.IN_PROGRESS)
        await enter_state(unit, case, wanted, None, "the customer has answered by mail")
    await case_queries.save_case(unit, case)


async def join_by_hand(unit: Unit, mail_id: UUID, case_id: UUID, actor: str) -> InboundMailRow:
    """Let a mail of triage join a case, because a person says so. Raises NotFound, MoveRefused."""
    case = await lock_case(unit, case_id)
    if case.state == CaseState.MERGED:
        raise MoveRefused(f"the case goes on as {case.merged_into}")
    row = await _lock_mail(unit, mail_id)
    await _join(unit, row, case, actor, None)
    unit.record(Change("inbound_mail", row.id, case.account_id))
    return row


async def open_by_hand(unit: Unit, mail_id: UUID, new: NewCase, actor: str) -> InboundMailRow:
    """Open a case for a mail of triage, which joins it. Raises NotFound, MoveRefused."""
    if new.account_id is not None:
        await unit.lock(new.account_id)
    row = await _lock_mail(unit, mail_id)
    move(INBOUND_ALLOWED, InboundState(row.state), InboundState.JOINED)
    case = await open_case(unit, new, actor)
    await _join(unit, row, case, actor, None)
    unit.record(Change("inbound_mail", row.id, case.account_id))
    return row


async def discard_by_hand(unit: Unit, mail_id: UUID, actor: str) -> InboundMailRow:
    """Discard a mail of triage that is nobody's. Raises NotFound, MoveRefused."""
    row = await _lock_mail(unit, mail_id)
    row.state = move(INBOUND_ALLOWED, InboundState(row.state), InboundState.DISCARDED)
    row.settled_at, row.settled_by = unit.now, actor
    await inbound_mails.save_mail(unit, row)
    unit.record(Change("inbound_mail", row.id))
    return row


async def _lock_mail(unit: Unit, mail_id: UUID) -> InboundMailRow:
    await inbound_mails.lock_mail(unit, mail_id)
    row = await inbound_mails.get_mail(unit, mail_id)
    if row.removed_at is not None:
        raise MoveRefused("what the mail said was removed")
    return row


async def mark_read(unit: Unit, case_id: UUID, last_entry_id: UUID, actor: str) -> CaseRow:
    """Say that somebody has read the answers of a case, up to an entry. Raises NotFound."""
    case = await lock_case(unit, case_id)
    unread = await inbound_mails.mark_read(unit, case_id, last_entry_id)
    if unread == case.unread_answers:
        unit.record_nothing()
        return case
    changes = {"unread_answers": {"from": case.unread_answers, "to": unread}}
    case.unread_answers = unread
    await case_queries.save_case(unit, case)
    await enter_internally(unit, case, "change", actor, "", changes)
    unit.record(Change("case", case.id, case.account_id))
    return case
