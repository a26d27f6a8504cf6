"""Chargebacks: each has a case for the answer to the network, is warned of once, and ends where the money is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.escalation.domain.cases import UNRESOLVED, CaseState
from services.escalation.domain.deadlines import compute_deadline_lapse, compute_deadline_warning
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import attachment_queries, case_queries, chargeback_queries
from services.escalation.tables import CaseRow, ChargebackEvidenceRow, ChargebackRow
from services.escalation.use_cases.case_moves import advance_case
from services.escalation.use_cases.cases import CaseLink, NewCase, open_case, open_task, write_internal_entry
from services.escalation.use_cases.ticket_files import TicketFileUnknown
from shared.events.escalation import CaseKind, ChargebackDeadlineNear
from shared.events.invoicing import ChargebackLost, ChargebackOpened, ChargebackWon
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.ids import new_id

MAX_EVIDENCE = 50
"""How many times evidence is recorded for a chargeback."""


class ChargebackEvidenceRefused(Refusal):
    """Evidence is not given in the future."""

    code = "date_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class SubmittedChargebackEvidence:
    """Files of the case that somebody gave to the network; without an instant, now."""

    attachment_ids: Sequence[UUID]
    submitted_at: datetime | None = None


async def open_chargeback_case(unit: Unit, event: ChargebackOpened) -> None:
    """Open the case of a chargeback, once; one of fraud where the reason says so. Events of the past open none."""
    await unit.lock_subjects(event.account_id)
    if unit.is_past or await chargeback_queries.find_chargeback(unit, event.chargeback_id) is not None:
        return
    case = await open_case(unit, _build_case(event), actor=None)
    await chargeback_queries.save_chargeback(
        unit,
        ChargebackRow(
            chargeback_id=event.chargeback_id,
            case_id=case.id,
            account_id=event.account_id,
            answer_by=event.answer_by,
            state="open",
            warned_at=None,
            ended_at=None,
            wake_at=compute_deadline_warning(event.answer_by, timedelta(days=event.warn_days)),
        ),
    )


def _build_case(event: ChargebackOpened) -> NewCase:
    kind: CaseKind = "fraud" if event.is_fraud else "dispute"
    links = [CaseLink("chargeback", event.chargeback_id)]
    links += [
        CaseLink("invoice", invoice_id) for invoice_id in sorted({part.invoice_id for part in event.reopened_amounts})
    ]
    return NewCase(
        kind,
        None,
        event.account_id,
        f"answer a chargeback by {event.answer_by} ({event.reason_code})",
        f"{chargeback_queries.CAUSE_PREFIX}{event.chargeback_id}",
        description="The evidence is the files of this case; how the network calls it says invoicing.",
        links=links,
    )


async def warn_of_chargeback_deadlines(unit: Unit, account_ids: list[str]) -> None:
    """Warn of the chargebacks of these accounts whose last day for an answer comes, once."""
    rows = await chargeback_queries.list_due_chargebacks(
        unit, [UUID(account_id) for account_id in account_ids], unit.now
    )
    for row in rows:
        row.warned_at, row.wake_at = unit.now, None
        await chargeback_queries.save_chargeback(unit, row)
        await _enter_chargeback(unit, row, f"the network takes an answer until {row.answer_by}")
        unit.publish(
            ChargebackDeadlineNear(
                case_id=row.case_id,
                account_id=row.account_id,
                chargeback_id=row.chargeback_id,
                answer_by=row.answer_by,
            )
        )


async def end_chargeback_case(unit: Unit, event: ChargebackWon | ChargebackLost) -> None:
    """Note in the case what the network decided: it is owed no answer any more."""
    await unit.lock_subjects(event.account_id)
    row = await chargeback_queries.find_chargeback(unit, event.chargeback_id)
    if row is None or row.state != "open":
        return
    row.state, row.ended_at, row.wake_at = ("won" if isinstance(event, ChargebackWon) else "lost"), unit.now, None
    await chargeback_queries.save_chargeback(unit, row)
    await _enter_chargeback(unit, row, f"the chargeback is {row.state}")
    await _return_turn(unit, row)


async def _return_turn(unit: Unit, row: ChargebackRow) -> None:
    """Make it our turn to tell the customer. What is resolved or closed stays so: a person gets a task."""
    case = await case_queries.get_ongoing_case(unit, row.case_id)
    if CaseState(case.state) not in UNRESOLVED:
        subject = f"the network has decided a chargeback ({row.state}), whose case is {case.state}"
        await open_task(
            unit, row.account_id, f"chargeback_decided:{row.chargeback_id}", subject, _list_links(row, case)
        )
    elif case.state != CaseState.IN_PROGRESS:
        await advance_case(unit, case, (CaseState.IN_PROGRESS,), None, f"the chargeback is {row.state}")


def _list_links(row: ChargebackRow, case: CaseRow) -> list[CaseLink]:
    return [CaseLink("case", case.id), CaseLink("chargeback", row.chargeback_id)]


async def submit_chargeback_evidence(
    unit: Unit, chargeback_id: UUID, submitted: SubmittedChargebackEvidence, actor: str
) -> ChargebackRow:
    """Record which files somebody gave to the network, and when; then nobody is warned of the last day any more.

    What came after the last day is marked as late. Raises NotFound, StateMoveRefused, TicketFileUnknown,
    ChargebackEvidenceRefused.
    """
    row = await _lock_chargeback(unit, chargeback_id)
    if row.state != "open":
        raise StateMoveRefused(f"the chargeback is {row.state}: the network takes no evidence any more")
    submitted_at = submitted.submitted_at or unit.now
    await _check_evidence(unit, row, submitted, submitted_at)
    evidence = ChargebackEvidenceRow(
        id=new_id(),
        chargeback_id=chargeback_id,
        account_id=row.account_id,
        attachment_ids=list(dict.fromkeys(submitted.attachment_ids)),
        submitted_by=actor,
        submitted_at=submitted_at,
        recorded_at=unit.now,
        is_late=submitted_at >= compute_deadline_lapse(row.answer_by),
    )
    await chargeback_queries.insert_chargeback_evidence(unit, evidence)
    row.wake_at = None
    await chargeback_queries.save_chargeback(unit, row)
    words = "evidence was given to the network" + (", after the last day" if evidence.is_late else "")
    await _enter_chargeback(unit, row, words, actor)
    unit.record(AuditedChange("chargeback_evidence", evidence.id, row.account_id))
    return row


async def _check_evidence(
    unit: Unit, row: ChargebackRow, submitted: SubmittedChargebackEvidence, submitted_at: datetime
) -> None:
    if submitted_at > unit.now:
        raise ChargebackEvidenceRefused("submitted_at: it is in the future")
    if len(await chargeback_queries.list_chargeback_evidence(unit, row.chargeback_id)) >= MAX_EVIDENCE:
        raise StateMoveRefused(f"evidence was given {MAX_EVIDENCE} times, which is all that is kept")
    case = await case_queries.get_ongoing_case(unit, row.case_id)
    files = {
        file.id for file in await attachment_queries.list_chosen_attachments(unit, case.id, submitted.attachment_ids)
    }
    if unknown := [attachment_id for attachment_id in submitted.attachment_ids if attachment_id not in files]:
        raise TicketFileUnknown(f"attachment_ids: the case has no file {unknown[0]}")


async def _lock_chargeback(unit: Unit, chargeback_id: UUID) -> ChargebackRow:
    await unit.lock_subjects((await chargeback_queries.get_chargeback(unit, chargeback_id)).account_id)
    return await chargeback_queries.get_chargeback(unit, chargeback_id)


async def _enter_chargeback(unit: Unit, row: ChargebackRow, content: str, actor: str | None = None) -> None:
    case = await case_queries.get_case(unit, row.case_id)
    details = {"chargeback_id": str(row.chargeback_id), "answer_by": row.answer_by.isoformat(), "state": row.state}
    await write_internal_entry(unit, case, "change", actor, content, details)
