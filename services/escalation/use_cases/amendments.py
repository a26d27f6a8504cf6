"""Amendments: more or less is disputed while a dispute is open. Invoicing reserves it, and then it is a fact."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.adapters import open_invoicing_records
from services.escalation.domain.disputes import (
    AMENDABLE,
    AMENDMENT_ALLOWED,
    DisputeAmendmentState,
    DisputeItem,
    DisputeWindow,
    list_added_dispute_lines,
)
from services.escalation.domain.state_moves import StateMoveRefused, move_state
from services.escalation.repository import case_queries, dispute_queries
from services.escalation.tables import DisputeAmendmentRow, DisputeRow
from services.escalation.use_cases.cases import write_internal_entry
from services.escalation.use_cases.dispute_items import (
    check_no_pending_amendment,
    describe_dispute_in_events,
    find_reservation_refusal,
    list_dispute_items,
    list_disputed_amounts,
    lock_dispute,
    serialize_dispute_item,
)
from services.escalation.use_cases.dispute_questions import LinesToDispute, find_question_cause
from services.escalation.use_cases.dispute_reasons import DisputeReasonsMixed, find_dispute_pause
from shared.contracts.dispute_reservations import DisputeReservationAmendment
from shared.events.escalation import DisputeAmended
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome
from shared.pure.errors import Refusal
from shared.pure.ids import new_id

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

MAX_AMENDMENTS = 100
AMEND_AMOUNTS = "amend_amounts"
"""The kind of the intent; its key is the dispute's id and the number of the amendment."""


class DisputeAdditionRefused(Refusal):
    """More is not added of lines that come too late, or were rejected before; `lines` and `question_cause` say so."""

    code = "addition_refused"


@dataclass(frozen=True, slots=True)
class NewDisputeAmendment:
    """All that a customer disputes from now on. New evidence lets more be added of a line that was rejected before."""

    items: Sequence[DisputeItem]
    reason: str
    new_evidence: str | None = None


async def request_dispute_amendment(
    unit: Unit, dispute_id: UUID, new: NewDisputeAmendment, window: DisputeWindow | None, actor: str
) -> tuple[DisputeAmendmentRow, Intent | None]:
    """Commit an amendment as requested, with the intent to reserve its amounts, leased to the caller.

    Raises NotFound, StateMoveRefused, DisputeAmendmentPending, DisputeAdditionRefused, UnknownDisputeReason,
    DisputeReasonsMixed.
    """
    dispute = await lock_dispute(unit, dispute_id)
    if dispute.state not in AMENDABLE:
        raise StateMoveRefused(f"what is {dispute.state} is not amended")
    await check_no_pending_amendment(unit, dispute)
    if (await find_dispute_pause(unit, new.items) is None) != (dispute.paused_until is None):
        raise DisputeReasonsMixed("lines: some reasons pause the invoice, others contest it: open another dispute")
    await _check_addition(unit, dispute, new, window)
    number = await dispute_queries.get_last_amendment_number(unit, dispute_id) + 1
    if number > MAX_AMENDMENTS:
        raise StateMoveRefused(f"it was amended {MAX_AMENDMENTS} times: open another dispute")
    row = _build_row(unit, dispute, number, new, actor)
    await dispute_queries.save_dispute_amendment(unit, row)
    await _enter_evidence(unit, dispute, new, actor)
    payload = {"dispute_id": str(dispute_id), "number": number}
    intent_id = await intents.enqueue_intent(
        unit, AMEND_AMOUNTS, dispute.account_id, f"{dispute_id}:{number}", payload, id_=new_id()
    )
    unit.record(AuditedChange("dispute", dispute_id, dispute.account_id, None, {"amendment": row.model_dump()}))
    return row, await intents.lease_intent(unit, intent_id)


async def _check_addition(
    unit: Unit, dispute: DisputeRow, new: NewDisputeAmendment, window: DisputeWindow | None
) -> None:
    """Refuse to add what would be a question if it were disputed on its own. Raises DisputeAdditionRefused."""
    lines = list_added_dispute_lines(list_dispute_items(dispute), new.items)
    if not lines:
        return
    wanted = LinesToDispute(dispute.account_id, dispute.invoice_id, lines, new.new_evidence is not None)
    cause = await find_question_cause(unit, wanted, window)
    if cause is not None:
        numbers = ", ".join(map(str, lines))
        raise DisputeAdditionRefused(
            f"lines: more of {numbers} is not added ({cause}): dispute it on its own, which gives a question",
            question_cause=cause,
            lines=lines,
        )


async def _enter_evidence(unit: Unit, dispute: DisputeRow, new: NewDisputeAmendment, actor: str) -> None:
    if new.new_evidence is not None:
        case = await case_queries.get_case(unit, dispute.case_id)
        await write_internal_entry(unit, case, "note", actor, new.new_evidence, {"new_evidence": str(dispute.id)})


def _build_row(
    unit: Unit, dispute: DisputeRow, number: int, new: NewDisputeAmendment, actor: str
) -> DisputeAmendmentRow:
    return DisputeAmendmentRow(
        dispute_id=dispute.id,
        number=number,
        account_id=dispute.account_id,
        lines=[serialize_dispute_item(item) for item in new.items],
        total_minor=sum(item.amount_minor for item in new.items),
        reason=new.reason,
        state=DisputeAmendmentState.REQUESTED,
        refusal=None,
        requested_by=actor,
        requested_at=unit.now,
        ended_at=None,
    )


async def reserve_amended_amounts(runtime: "Runtime", intent: Intent) -> str | None:
    """Reserve the amounts of an amendment in invoicing; what it refuses, or None. Raises RetryLater."""
    dispute_id, number = UUID(intent.payload["dispute_id"]), intent.payload["number"]
    row = await runtime.units.run(lambda unit: dispute_queries.get_dispute_amendment(unit, dispute_id, number))
    lines = list_disputed_amounts([DisputeItem(**line) for line in row.lines])
    amendment = DisputeReservationAmendment(amendment=number, lines=lines)
    return await find_reservation_refusal(
        open_invoicing_records(runtime).request_reservation_amendment(dispute_id, amendment, intent.key)
    )


async def record_dispute_amendment(unit: Unit, intent: Intent, refusal: str | None) -> RecordingOutcome:
    """Record the answer: the dispute has other amounts, and that is a fact, or it stays as it was."""
    dispute_id, number = UUID(intent.payload["dispute_id"]), intent.payload["number"]
    amendment = await dispute_queries.get_dispute_amendment(unit, dispute_id, number)
    dispute = await dispute_queries.get_dispute(unit, dispute_id)
    wanted = DisputeAmendmentState.DONE if refusal is None else DisputeAmendmentState.REFUSED
    amendment.state = move_state(AMENDMENT_ALLOWED, DisputeAmendmentState(amendment.state), wanted)
    amendment.refusal, amendment.ended_at = refusal, unit.now
    if refusal is None:
        case = await case_queries.get_case(unit, dispute.case_id)
        changes = {"total_minor": {"from": dispute.total_minor, "to": amendment.total_minor}}
        dispute.lines, dispute.total_minor = amendment.lines, amendment.total_minor
        await write_internal_entry(unit, case, "change", amendment.requested_by, amendment.reason, changes)
        unit.publish(DisputeAmended(**describe_dispute_in_events(dispute), amendment_number=number))
    await dispute_queries.save_dispute_amendment(unit, amendment)
    await dispute_queries.save_dispute(unit, dispute)
    return RecordingOutcome.DONE
