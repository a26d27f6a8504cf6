"""Mails come in: they join a case as an entry, or wait for a person; they decide nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.escalation.domain.attachments import CheckedAttachment
from services.escalation.domain.cases import CASE_ALLOWED, UNRESOLVED, CaseState
from services.escalation.domain.inbound_mails import (
    INBOUND_ALLOWED,
    InboundMail,
    InboundState,
    TriageReason,
)
from services.escalation.domain.mails import find_reply_secrets
from services.escalation.domain.state_moves import StateMoveRefused, move_state
from services.escalation.repository import case_queries, inbound_mail_queries, thread_queries
from services.escalation.tables import CaseRow, EntryRow, InboundMailRow
from services.escalation.use_cases.attachments import move_mail_files, save_mail_attachments
from services.escalation.use_cases.bounces import record_case_mail_bounce
from services.escalation.use_cases.case_moves import enter_case_state
from services.escalation.use_cases.cases import NewCase, lock_case, open_case, write_internal_entry
from services.escalation.use_cases.mail_claims import MailClaim
from services.escalation.use_cases.ticket_mails import save_distributor_answer
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.ids import new_id


@dataclass(frozen=True, slots=True)
class ArrivedMail:
    """A mail as it arrived, with its claim to a case and the files that are kept of it."""

    mail: InboundMail
    claim: MailClaim
    files: Sequence[CheckedAttachment] = ()
    refused_files: Sequence[str] = ()
    """The names of those that are not kept."""


async def receive_inbound_mail(unit: Unit, arrival: ArrivedMail, support_address: str) -> InboundMailRow:
    """Take a mail in, once for its Message-ID; the same content again is the mail that is here."""
    case, claim = None, arrival.claim
    if claim.case_id is not None:
        await unit.lock_subjects(claim.account_id or claim.case_id)
        case = await case_queries.get_ongoing_case(unit, claim.case_id)
    row = _build_row(unit, arrival)
    if not await inbound_mail_queries.insert_inbound_mail(unit, row):
        former = await _find_or_keep(unit, row)
        if former is not None:
            unit.record_nothing()
            return former
        case = None
    unit.record(AuditedChange("inbound_mail", row.id, claim.account_id if case else None))
    row = await inbound_mail_queries.get_inbound_mail_row(unit, row.id)
    await _follow_kind(unit, row, arrival, case, support_address)
    return row


async def _find_or_keep(unit: Unit, row: InboundMailRow) -> InboundMailRow | None:
    """Find the same mail that came before; another one with its Message-ID is kept, in triage."""
    row.is_first, row.state, row.reason = False, InboundState(InboundState.TRIAGE), TriageReason.MESSAGE_ID_REUSED
    if await inbound_mail_queries.insert_inbound_mail(unit, row):
        return None
    former = await inbound_mail_queries.find_identical_mail(unit, row.mail_key, row.digest)
    assert former is not None
    return former


async def _follow_kind(
    unit: Unit, row: InboundMailRow, arrival: ArrivedMail, case: CaseRow | None, support_address: str
) -> None:
    mail = arrival.mail
    await unit.lock_subjects(row.id)
    if row.state == InboundState.TRIAGE and not mail.is_automatic:
        await save_mail_attachments(unit, row.id, arrival.files)
    if row.state == InboundState.BOUNCE and mail.bounce is not None:
        secrets = mail.bounce.secrets | find_reply_secrets(support_address, mail.recipients).bounce_secrets
        await record_case_mail_bounce(unit, secrets, mail.bounce.code)
    elif row.state == InboundState.AUTOMATIC and case is not None and arrival.claim.ticket_id is None:
        await _enter_automatically(unit, row, case, arrival.claim.contact_person_id)
    elif row.state == InboundState.TRIAGE and case is not None:
        await _join(unit, row, case, None, arrival.claim.contact_person_id)


def _build_row(unit: Unit, arrival: ArrivedMail) -> InboundMailRow:
    mail = arrival.mail
    state, reason = InboundState.TRIAGE, arrival.claim.reason
    kept, refused = [file.name for file in arrival.files], list(arrival.refused_files)
    if mail.bounce is not None:
        state, reason = InboundState.BOUNCE, None
    elif mail.is_automatic:
        state, reason = InboundState.AUTOMATIC, None
        kept, refused = [], kept + refused
    return InboundMailRow(
        id=new_id(),
        mail_key=mail.get_mail_key,
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
            "files": kept,
            "refused_files": refused,
            "named_cases": [str(case_id) for case_id in arrival.claim.named_case_ids],
        }
        | ({"vendor_ticket": str(arrival.claim.ticket_id)} if arrival.claim.ticket_id else {}),
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
        await save_distributor_answer(unit, row, case, actor)
        return
    joined = move_state(INBOUND_ALLOWED, InboundState(row.state), InboundState.JOINED)
    row.settled_at, row.settled_by = unit.now, actor
    await move_mail_files(unit, row, case.id, "customer")
    await _enter_mail(unit, row, case, person_id, joined)
    case.unread_answers += 1
    if case.state == CaseState.WAITING_FOR_CUSTOMER:
        wanted = move_state(CASE_ALLOWED, CaseState(case.state), CaseState.IN_PROGRESS)
        await enter_case_state(unit, case, wanted, None, "the customer has answered by mail")
    await case_queries.save_case(unit, case)
    await _note_in_others(unit, row, case)


async def _enter_automatically(unit: Unit, row: InboundMailRow, case: CaseRow, person_id: UUID | None) -> None:
    """Let what a machine wrote stand in the thread of a case: it moves nothing, and nobody has to read it."""
    row.read_at = unit.now
    await _enter_mail(unit, row, case, person_id, InboundState.AUTOMATIC)


async def _enter_mail(
    unit: Unit, row: InboundMailRow, case: CaseRow, person_id: UUID | None, state: InboundState
) -> None:
    details: dict[str, Any] = {name: content for name, content in row.details.items() if name != "named_cases"}
    if state is InboundState.AUTOMATIC:
        details = details | {"is_automatic": True}
    entry = EntryRow(
        id=new_id(),
        case_id=case.id,
        account_id=case.account_id,
        kind="mail_in",
        audience="customer",
        actor=row.settled_by,
        content=row.content,
        details={
            "inbound_mail_id": str(row.id),
            "subject": row.subject,
            "contact_person_id": None if person_id is None else str(person_id),
            **details,
        },
        channel=None,
        about_outcome=None,
        sequence=None,
        entered_at=unit.now,
    )
    await thread_queries.insert_thread_entry(unit, entry)
    row.state, row.case_id, row.entry_id, row.content, row.contact_person_id = state, case.id, entry.id, "", person_id
    await inbound_mail_queries.save_inbound_mail(unit, row)


async def _note_in_others(unit: Unit, row: InboundMailRow, case: CaseRow) -> None:
    """Note in the other cases of the account that a mail names, and that are not resolved, where it is."""
    named_ids = [UUID(case_id) for case_id in row.details.get("named_cases", ())]
    ongoing = [await case_queries.get_ongoing_case(unit, named_id) for named_id in named_ids]
    for other in {other.id: other for other in ongoing if other.id != case.id}.values():
        if other.account_id is not None and other.account_id == case.account_id and other.state in UNRESOLVED:
            words = f"a mail of the customer in case {case.number} names this case, too"
            await write_internal_entry(unit, other, "note", None, words, {"inbound_mail_id": str(row.id)})


async def join_mail_by_hand(unit: Unit, mail_id: UUID, case_id: UUID, actor: str) -> InboundMailRow:
    """Let a mail of triage join a case, because a person says so. Raises NotFound, StateMoveRefused."""
    case = await lock_case(unit, case_id)
    if case.state == CaseState.MERGED:
        raise StateMoveRefused(f"the case goes on as {case.merged_into}")
    row = await _lock_mail(unit, mail_id)
    await _join(unit, row, case, actor, None)
    unit.record(AuditedChange("inbound_mail", row.id, case.account_id))
    return row


async def open_case_by_mail(unit: Unit, mail_id: UUID, new: NewCase, actor: str) -> InboundMailRow:
    """Open a case for a mail of triage, which joins it. Raises NotFound, StateMoveRefused."""
    if new.account_id is not None:
        await unit.lock_subjects(new.account_id)
    row = await _lock_mail(unit, mail_id)
    move_state(INBOUND_ALLOWED, InboundState(row.state), InboundState.JOINED)
    case = await open_case(unit, new, actor)
    await _join(unit, row, case, actor, None)
    unit.record(AuditedChange("inbound_mail", row.id, case.account_id))
    return row


async def discard_mail_by_hand(unit: Unit, mail_id: UUID, actor: str) -> InboundMailRow:
    """Discard a mail of triage that is nobody's. Raises NotFound, StateMoveRefused."""
    row = await _lock_mail(unit, mail_id)
    row.state = move_state(INBOUND_ALLOWED, InboundState(row.state), InboundState.DISCARDED)
    row.settled_at, row.settled_by = unit.now, actor
    await inbound_mail_queries.save_inbound_mail(unit, row)
    unit.record(AuditedChange("inbound_mail", row.id))
    return row


async def _lock_mail(unit: Unit, mail_id: UUID) -> InboundMailRow:
    await inbound_mail_queries.lock_inbound_mail(unit, mail_id)
    row = await inbound_mail_queries.get_inbound_mail_row(unit, mail_id)
    if row.removed_at is not None:
        raise StateMoveRefused("what the mail said was removed")
    if row.case_id is not None:
        raise StateMoveRefused(f"the mail stands in the thread of case {row.case_id}")
    return row


async def mark_customer_answers_read(unit: Unit, case_id: UUID, last_entry_id: UUID, actor: str) -> CaseRow:
    """Say that somebody has read the answers of a case, up to an entry. Raises NotFound."""
    case = await lock_case(unit, case_id)
    unread = await inbound_mail_queries.mark_case_mails_read(unit, case_id, last_entry_id)
    if unread == case.unread_answers:
        unit.record_nothing()
        return case
    changes = {"unread_answers": {"from": case.unread_answers, "to": unread}}
    case.unread_answers = unread
    await case_queries.save_case(unit, case)
    await write_internal_entry(unit, case, "change", actor, "", changes)
    unit.record(AuditedChange("case", case.id, case.account_id))
    return case
