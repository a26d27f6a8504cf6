"""Disputes are reviewed, decided and withdrawn; their outcome moves the money in invoicing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.escalation.domain.disputes import (
    AMENDABLE,
    DISPUTE_ALLOWED,
    TAX_REASON,
    DisputeItem,
    DisputeState,
    is_dispute_approved_fully,
)
from services.escalation.domain.state_moves import move_state
from services.escalation.repository import case_queries, dispute_queries
from services.escalation.tables import DisputeRow
from services.escalation.use_cases.case_moves import resolve_case
from services.escalation.use_cases.cases import CaseLink, open_task, write_internal_entry
from services.escalation.use_cases.dispute_items import (
    check_no_pending_amendment,
    describe_dispute_in_events,
    list_dispute_items,
    lock_dispute,
    serialize_dispute_item,
)
from shared.events.escalation import CaseOutcome, DisputeOutcome, DisputeResolved, DisputeWithdrawn
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit

CASE_OUTCOMES: dict[DisputeOutcome, CaseOutcome] = {
    "upheld": "dispute_upheld",
    "partly_upheld": "dispute_partly_upheld",
    "rejected": "dispute_rejected",
}
PAUSE_RETRY = timedelta(hours=1)
"""After what time it is looked again whether a pause can end that could not end when it was over."""


async def begin_dispute_review(unit: Unit, dispute_id: UUID) -> DisputeRow:
    """Say that somebody examines the dispute. Raises NotFound, StateMoveRefused."""
    row = await lock_dispute(unit, dispute_id)
    before = row.model_dump()
    row.state = move_state(DISPUTE_ALLOWED, DisputeState(row.state), DisputeState.UNDER_REVIEW)
    row.review_began_at = unit.now
    await dispute_queries.save_dispute(unit, row)
    unit.record(AuditedChange("dispute", row.id, row.account_id, before, row.model_dump()))
    return row


async def reject_dispute_by_hand(unit: Unit, dispute_id: UUID, reason: str) -> DisputeRow:
    """Reject a dispute: its amounts are released. Raises NotFound, StateMoveRefused, DisputeAmendmentPending."""
    row = await _end_dispute(unit, dispute_id, DisputeState.REJECTED, reason)
    await _announce_outcome(unit, row, "rejected")
    return row


async def uphold_decided_dispute(unit: Unit, dispute_id: UUID, items: Sequence[DisputeItem], reason: str) -> DisputeRow:
    """Uphold what is approved of a dispute: that is credited, and the rest is released.

    Raises NotFound, StateMoveRefused, DisputeAmendmentPending.
    """
    outcome: DisputeOutcome = "upheld" if is_dispute_approved_fully(items) else "partly_upheld"
    row = await _end_dispute(unit, dispute_id, DisputeState(outcome), reason, items)
    await _announce_outcome(unit, row, outcome)
    if any(item.reason_code == TAX_REASON and item.approved_minor for item in items):
        subject = "invoice a line again whose tax was wrong: it was credited in full"
        links = [CaseLink("invoice", row.invoice_id, item.line) for item in items if item.reason_code == TAX_REASON]
        await open_task(unit, row.account_id, f"tax_of_dispute:{row.id}", subject, links)
    return row


async def _announce_outcome(unit: Unit, row: DisputeRow, outcome: DisputeOutcome) -> None:
    unit.publish(DisputeResolved(**describe_dispute_in_events(row), outcome=outcome))
    words = outcome.replace("_", " ")
    await resolve_case(unit, row.case_id, CASE_OUTCOMES[outcome], f"the dispute was {words}")


async def withdraw_dispute(unit: Unit, dispute_id: UUID, reason: str) -> DisputeRow:
    """The customer no longer disputes. Raises NotFound, StateMoveRefused, DisputeAmendmentPending."""
    was_question = (await lock_dispute(unit, dispute_id)).state == DisputeState.QUESTION
    row = await _end_dispute(unit, dispute_id, DisputeState.WITHDRAWN, reason)
    if not was_question:
        unit.publish(DisputeWithdrawn(**describe_dispute_in_events(row)))
    await resolve_case(unit, row.case_id, "dispute_withdrawn", "the dispute was withdrawn")
    return row


async def record_dispute_credit_note(unit: Unit, dispute_id: UUID, credit_note_id: UUID, number: str) -> None:
    """Note in the dispute and in the thread of its case which credit note it gave."""
    case_id = await dispute_queries.save_dispute_credit_note(unit, dispute_id, credit_note_id, number)
    if case_id is not None:
        case = await case_queries.get_case(unit, case_id)
        await write_internal_entry(unit, case, "change", None, "", {"credit_note": number})


async def end_dispute_pauses(unit: Unit, account_ids: list[str]) -> None:
    """End the disputes of these accounts whose pause is over: their amounts are released."""
    for row in await dispute_queries.list_ended_dispute_pauses(
        unit, [UUID(account_id) for account_id in account_ids], unit.now
    ):
        if row.state in AMENDABLE and await dispute_queries.find_pending_dispute_amendment(unit, row.id) is None:
            await withdraw_dispute(unit, row.id, "the pause of the invoice has ended")
        else:
            row.paused_until = unit.now + PAUSE_RETRY
            await dispute_queries.save_dispute(unit, row)


async def _end_dispute(
    unit: Unit, dispute_id: UUID, state: DisputeState, reason: str, items: Sequence[DisputeItem] | None = None
) -> DisputeRow:
    row = await lock_dispute(unit, dispute_id)
    await check_no_pending_amendment(unit, row)
    before = row.model_dump()
    row.state = move_state(DISPUTE_ALLOWED, DisputeState(row.state), state)
    row.lines = (
        [serialize_dispute_item(replace(item, approved_minor=0)) for item in list_dispute_items(row)]
        if items is None
        else [serialize_dispute_item(item) for item in items]
    )
    row.ended_at, row.ended_reason = unit.now, reason
    await dispute_queries.save_dispute(unit, row)
    unit.record(AuditedChange("dispute", row.id, row.account_id, before, row.model_dump()))
    return row
