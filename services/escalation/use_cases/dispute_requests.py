"""Disputes are requested here, reserved in invoicing, and only then a fact; some are questions that reserve nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.adapters import open_invoicing_records
from services.escalation.domain.cases import UNRESOLVED
from services.escalation.domain.disputes import (
    DISPUTE_ALLOWED,
    DisputeItem,
    DisputeState,
    DisputeWindow,
    QuestionCause,
)
from services.escalation.domain.state_moves import StateMoveRefused, move_state
from services.escalation.repository import case_queries, dispute_queries, invoicing_copies
from services.escalation.tables import DisputeRow
from services.escalation.use_cases.case_moves import resolve_case
from services.escalation.use_cases.cases import CaseLink, NewCase, open_case, write_internal_entry
from services.escalation.use_cases.dispute_items import (
    describe_dispute_in_events,
    find_reservation_refusal,
    list_dispute_items,
    list_disputed_amounts,
    lock_dispute,
    serialize_dispute_item,
)
from services.escalation.use_cases.dispute_questions import LinesToDispute, find_question_cause
from services.escalation.use_cases.dispute_reasons import find_dispute_pause
from shared.contracts.dispute_reservations import DisputeReservationRequest
from shared.events.escalation import CaseKind, DisputeOpened
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome
from shared.pure.errors import Refusal, RetryLater
from shared.pure.ids import new_id
from shared.web.clients import RefusedByService

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

DISPUTE: tuple[str, CaseKind] = ("billing dispute", "dispute")
QUESTIONS: dict[QuestionCause, tuple[str, CaseKind]] = {
    "too_late": ("an invoice that is disputed too late", "billing_question"),
    "rejected_before": ("a line that was disputed before", "billing_question"),
}
"""Subject and kind of the case of a question."""
RESERVE_AMOUNTS = "reserve_amounts"
"""The kind of the intent; its id and key are the dispute's."""


class InvoiceOfAnotherAccount(Refusal):
    """The invoice belongs to another account, or is in another currency."""

    code = "not_their_invoice"
    status = 422


class UnknownDisputedLine(Refusal):
    """The invoice has no such line."""

    code = "unknown_line"
    status = 422


class UnknownDisputedInvoice(Refusal):
    """There is no such invoice."""

    code = "unknown_invoice"
    status = 422


class DisputeAboveInvoice(Refusal):
    """More is disputed than the invoice was ever for."""

    code = "amount_above_invoice"
    status = 422


@dataclass(frozen=True, slots=True)
class NewDispute:
    """Items of one invoice that a customer disputes. New evidence lets a line be disputed that was rejected before."""

    account_id: UUID
    invoice_id: UUID
    currency: str
    items: Sequence[DisputeItem]
    comment: str | None
    new_evidence: str | None = None


async def check_dispute_items(runtime: "Runtime", invoice_id: UUID, items: Sequence[DisputeItem]) -> None:
    """Ask invoicing whether the invoice has the disputed lines and amounts, before anything is written.

    Without an answer the reservation decides later. Raises UnknownInvoice, UnknownLine,
    DisputeAboveInvoice.
    """
    try:
        balance = await open_invoicing_records(runtime).fetch_disputable_balance(invoice_id)
    except RefusedByService as answer:
        if answer.status == 404:
            raise UnknownDisputedInvoice(f"invoice_id: there is no invoice {invoice_id}") from answer
        return
    except RetryLater:
        return
    lines = {line.line for line in balance.lines}
    if unknown := sorted({item.line for item in items} - lines):
        raise UnknownDisputedLine(f"lines: the invoice has no line {', '.join(map(str, unknown))}; it has {len(lines)}")
    if sum(item.amount_minor for item in items) > balance.total_minor:
        raise DisputeAboveInvoice("lines: more is disputed than the invoice is for")


async def request_dispute(
    unit: Unit, new: NewDispute, window: DisputeWindow | None, actor: str
) -> tuple[DisputeRow, Intent | None]:
    """Commit a dispute as requested, with the intent to reserve its amounts.

    What comes after the window, and a line that was rejected before without new evidence, is a question that reserves
    nothing. The intent is leased to the caller from the start, so that no worker is faster than the request that waits
    for it. Raises NotTheirs, UnknownDisputeReason, DisputeReasonsMixed.
    """
    invoice = await invoicing_copies.find_invoice_copy(unit, new.invoice_id)
    if invoice not in (None, (new.account_id, new.currency)):
        raise InvoiceOfAnotherAccount(f"invoice_id: {new.invoice_id} is no invoice of this account in {new.currency}")
    pause = await find_dispute_pause(unit, new.items)
    wanted = LinesToDispute(
        new.account_id, new.invoice_id, [item.line for item in new.items], new.new_evidence is not None
    )
    question_cause = await find_question_cause(unit, wanted, window)
    case = await open_case(unit, _build_case(new, question_cause), actor)
    row = _build_row(unit, new, case.id, question_cause)
    row.paused_until = None if pause is None or question_cause else unit.now + pause
    await dispute_queries.save_dispute(unit, row)
    if new.new_evidence is not None:
        await write_internal_entry(unit, case, "note", actor, new.new_evidence, {"new_evidence": str(row.id)})
    unit.record(AuditedChange("dispute", row.id, row.account_id))
    return row, None if question_cause else await _want_reservation(unit, row)


def _build_row(unit: Unit, new: NewDispute, case_id: UUID, question_cause: QuestionCause | None) -> DisputeRow:
    return DisputeRow(
        id=new_id(),
        case_id=case_id,
        account_id=new.account_id,
        invoice_id=new.invoice_id,
        currency=new.currency,
        lines=[serialize_dispute_item(item) for item in new.items],
        total_minor=sum(item.amount_minor for item in new.items),
        comment=new.comment,
        state=DisputeState.QUESTION if question_cause else DisputeState.REQUESTED,
        refusal=None,
        requested_at=unit.now,
        opened_at=None,
        ended_at=None,
        credit_note_id=None,
        uphold_proposed_by=None,
        uphold_proposed_at=None,
        ended_reason=None,
        question_cause=question_cause,
    )


async def _want_reservation(unit: Unit, row: DisputeRow) -> Intent | None:
    await intents.enqueue_intent(unit, RESERVE_AMOUNTS, row.account_id, row.id, {}, row.id)
    return await intents.lease_intent(unit, row.id)


def _build_case(new: NewDispute, question_cause: QuestionCause | None) -> NewCase:
    links = [CaseLink("invoice", new.invoice_id, item.line) for item in new.items]
    subject, kind = QUESTIONS[question_cause] if question_cause else DISPUTE
    return NewCase(kind, None, new.account_id, subject, description=new.comment, links=links)


async def admit_question_as_dispute(
    unit: Unit, dispute_id: UUID, actor: str, reason: str
) -> tuple[DisputeRow, Intent | None]:
    """Make a dispute of what was a question: its amounts are reserved, or its invoice pauses, from now on.

    Raises NotFound, StateMoveRefused, UnknownDisputeReason, DisputeReasonsMixed.
    """
    row = await lock_dispute(unit, dispute_id)
    case = await case_queries.get_case(unit, row.case_id)
    if case.state not in UNRESOLVED:
        raise StateMoveRefused(f"its case is {case.state}: reopen it first")
    before, pause = row.model_dump(), await find_dispute_pause(unit, list_dispute_items(row))
    row.state = move_state(DISPUTE_ALLOWED, DisputeState(row.state), DisputeState.REQUESTED)
    row.paused_until = None if pause is None else unit.now + pause
    case.kind, case.version = "dispute", case.version + 1
    await case_queries.save_case(unit, case)
    await dispute_queries.save_dispute(unit, row)
    await write_internal_entry(unit, case, "change", actor, reason, {"admitted_dispute": str(row.id)})
    unit.record(AuditedChange("dispute", row.id, row.account_id, before, row.model_dump()))
    return row, await _want_reservation(unit, row)


async def reserve_disputed_amounts(runtime: "Runtime", intent: Intent) -> str | None:
    """Reserve the amounts in invoicing; what it refuses, or None. Raises RetryLater. The key is the dispute's id."""
    row = await runtime.units.run(lambda unit: dispute_queries.get_dispute(unit, intent.id))
    request = DisputeReservationRequest(
        dispute_id=row.id, invoice_id=row.invoice_id, lines=list_disputed_amounts(list_dispute_items(row))
    )
    return await find_reservation_refusal(open_invoicing_records(runtime).request_reservation(request, str(row.id)))


async def record_dispute_reserved(unit: Unit, intent: Intent, refusal: str | None) -> RecordingOutcome:
    """Record the answer: opened, and a fact, or refused, which ends the case's question."""
    row = await dispute_queries.get_dispute(unit, intent.id)
    wanted = DisputeState.OPENED if refusal is None else DisputeState.REFUSED
    row.state = move_state(DISPUTE_ALLOWED, DisputeState(row.state), wanted)
    if refusal is None:
        row.opened_at = unit.now
        unit.publish(DisputeOpened(**describe_dispute_in_events(row)))
    else:
        row.refusal, row.ended_at = refusal, unit.now
        await resolve_case(unit, row.case_id, "dispute_refused", "the dispute was refused")
    await dispute_queries.save_dispute(unit, row)
    return RecordingOutcome.DONE
