"""Cases move: somebody begins, waits, resolves, closes, opens again or merges. Each move stands in the thread."""

from collections.abc import Sequence
from uuid import UUID

from services.escalation.domain.cases import (
    CASE_ALLOWED,
    CaseLoop,
    CaseMergeFacts,
    CaseState,
    check_case_resolving,
    close_case,
    merge_case,
    reopen_case,
    undo_case_close,
)
from services.escalation.domain.inbound_mails import UnreadCustomerAnswer
from services.escalation.domain.state_moves import move_state
from services.escalation.repository import case_mail_queries, case_queries, inbound_mail_queries, thread_queries
from services.escalation.tables import CaseRow
from services.escalation.use_cases.case_clocks import update_clocks_by_state
from services.escalation.use_cases.cases import CaseLink, link_case, lock_case, write_internal_entry
from services.escalation.use_cases.informing import expect_outcome_contact, note_customer_informed
from shared.events.escalation import CaseClosed, CaseClosingUndone, CaseMerged, CaseOutcome, CaseReopened, CaseResolved
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal


class DisputeOfCaseUndecided(Refusal):
    """The case has a dispute that is not decided: its outcome is the outcome of the case."""

    code = "dispute_undecided"


class CaseForCauseExists(Refusal):
    """Another case for the same cause is not resolved."""

    code = "cause_taken"


async def move_case_by_hand(unit: Unit, case_id: UUID, wanted: CaseState, actor: str, reason: str) -> CaseRow:
    """Move a case that stays unresolved. Raises NotFound, StateMoveRefused."""
    row = await lock_case(unit, case_id)
    before = row.model_dump()
    await enter_case_state(unit, row, move_state(CASE_ALLOWED, CaseState(row.state), wanted), actor, reason)
    await _save_change(unit, row, before)
    return row


async def resolve_case(unit: Unit, case_id: UUID, outcome: CaseOutcome, words: str) -> CaseRow:
    """Resolve a case by a decision elsewhere, announced as a code. A resolved or closed one gets the new outcome.

    Raises NotFound, StateMoveRefused.
    """
    row = await lock_case(unit, case_id)
    if row.state in (CaseState.RESOLVED, CaseState.CLOSED):
        await _clear_outcome(
            unit, row, move_state(CASE_ALLOWED, CaseState(row.state), CaseState.IN_PROGRESS), None, words
        )
    await _resolve(unit, row, outcome, words, None, words)
    await case_queries.save_case(unit, row)
    return row


async def resolve_case_by_hand(unit: Unit, case_id: UUID, words: str, actor: str, reason: str) -> CaseRow:
    """Resolve a case because a person says so. Raises NotFound, StateMoveRefused, DisputeOfCaseUndecided."""
    row = await lock_case(unit, case_id)
    if await case_queries.has_undecided_dispute(unit, case_id):
        raise DisputeOfCaseUndecided("the dispute of this case is not decided: uphold, reject or withdraw it")
    before = row.model_dump()
    await _resolve(unit, row, "resolved_by_person", words, actor, reason)
    await _save_change(unit, row, before)
    return row


async def close_case_by_hand(
    unit: Unit, case_id: UUID, actor: str, no_customer_affected: str | None, reason: str
) -> CaseRow:
    """Close the loop.

    Raises NotFound, StateMoveRefused, CustomerNotInformed, CaseAffectsCustomer, UnreadCustomerAnswer.
    """
    row = await lock_case(unit, case_id)
    if row.unread_answers:
        raise UnreadCustomerAnswer("the customer has answered, and nobody has read it yet")
    before = row.model_dump()
    loop = await build_case_loop(unit, row, no_customer_affected)
    wanted = close_case(CaseState(row.state), loop)
    row.closed_at, row.closed_by, row.no_customer_affected = unit.now, actor, no_customer_affected
    note_customer_informed(row)
    await enter_case_state(unit, row, wanted, actor, reason)
    unit.publish(CaseClosed(case_id=row.id, account_id=row.account_id, customer_informed=loop.is_customer_informed))
    await _save_change(unit, row, before)
    return row


async def reopen_case_by_hand(unit: Unit, case_id: UUID, actor: str, reason: str) -> CaseRow:
    """Let a resolved or closed case go on; its former outcome stays in the thread.

    Raises NotFound, StateMoveRefused, CaseReopenedTooLate, CaseForCauseExists.
    """
    row = await lock_case(unit, case_id)
    before = row.model_dump()
    wanted = reopen_case(CaseState(row.state), row.closed_at, unit.now)
    if row.cause is not None and await case_queries.has_unresolved_case(unit, row.cause):
        raise CaseForCauseExists("another case for the same cause is not resolved: go on there")
    await _clear_outcome(unit, row, wanted, actor, reason)
    unit.publish(CaseReopened(case_id=row.id, account_id=row.account_id))
    await _save_change(unit, row, before)
    return row


async def merge_case_by_hand(unit: Unit, case_id: UUID, target_id: UUID, actor: str, reason: str) -> CaseRow:
    """Let a case go on in another one of its account. Raises NotFound, StateMoveRefused, CaseMergeRefused."""
    row = await lock_case(unit, case_id)
    target = await case_queries.get_case(unit, target_id)
    before = row.model_dump()
    wanted = merge_case(_build_side(row), _build_side(target))
    row.merged_into = target_id
    await enter_case_state(unit, row, wanted, actor, reason)
    await case_queries.redirect_merged_cases(unit, case_id, target_id)
    await inbound_mail_queries.redirect_mails_of_case(unit, case_id, target_id)
    target.unread_answers, row.unread_answers = target.unread_answers + row.unread_answers, 0
    await case_queries.save_case(unit, target)
    links = [
        CaseLink(link.kind, link.target_id, link.line) for link in await case_queries.list_case_links(unit, case_id)
    ]
    await link_case(unit, target, links, actor)
    await write_internal_entry(unit, target, "change", actor, reason, {"took_in": str(case_id)})
    unit.publish(CaseMerged(case_id=row.id, account_id=row.account_id, into_case_id=target_id))
    await _save_change(unit, row, before)
    return row


async def advance_case(unit: Unit, row: CaseRow, states: Sequence[CaseState], actor: str | None, reason: str) -> None:
    """Move a case through these states, from the first that it is not in already; the last is where it ends.

    Raises StateMoveRefused. The caller says what it changed.
    """
    steps = states[states.index(CaseState(row.state)) + 1 :] if row.state in states else states
    for wanted in steps:
        await enter_case_state(unit, row, move_state(CASE_ALLOWED, CaseState(row.state), wanted), actor, reason)
    await case_queries.save_case(unit, row)


async def undo_case_closing(unit: Unit, row: CaseRow, reason: str) -> None:
    """Let a closed case be resolved again, whose customer was not told after all."""
    row.closed_at = row.closed_by = row.no_customer_affected = None
    await enter_case_state(unit, row, undo_case_close(CaseState(row.state)), None, reason)
    unit.publish(CaseClosingUndone(case_id=row.id, account_id=row.account_id))
    await case_queries.save_case(unit, row)


async def build_case_loop(unit: Unit, row: CaseRow, no_customer_affected: str | None) -> CaseLoop:
    """Build the facts that decide whether the loop of a case is closed."""
    informed = (
        await thread_queries.find_last_outcome_contact(unit, row.id),
        await case_mail_queries.find_informing_mail(unit, row.id, row.outcome_sequence),
    )
    return CaseLoop(
        row.outcome_sequence,
        max((sequence for sequence in informed if sequence is not None), default=None),
        no_customer_affected,
        is_task=row.kind == "task",
        is_of_customer=row.account_id is not None and row.opened_by is not None,
    )


def _build_side(row: CaseRow) -> CaseMergeFacts:
    return CaseMergeFacts(row.id, row.account_id, row.kind, CaseState(row.state))


async def _resolve(unit: Unit, row: CaseRow, outcome: CaseOutcome, words: str, actor: str | None, reason: str) -> None:
    wanted = check_case_resolving(CaseState(row.state))
    row.outcome, row.outcome_at = words, unit.now
    await expect_outcome_contact(unit, row)
    await enter_case_state(unit, row, wanted, actor, reason)
    row.outcome_sequence = unit.publish(CaseResolved(case_id=row.id, account_id=row.account_id, outcome=outcome))


async def _clear_outcome(unit: Unit, row: CaseRow, wanted: CaseState, actor: str | None, reason: str) -> None:
    outcome = row.outcome
    note_customer_informed(row)
    row.outcome = row.outcome_at = row.outcome_sequence = None
    row.closed_at = row.closed_by = row.no_customer_affected = None
    await enter_case_state(unit, row, wanted, actor, reason, former_outcome=outcome)


async def enter_case_state(
    unit: Unit, row: CaseRow, wanted: CaseState, actor: str | None, reason: str, former_outcome: str | None = None
) -> None:
    """Enter a state that the case may go to, with an entry, and let the clocks follow. The caller saves the case."""
    details = {"from": row.state, "to": wanted.value}
    if row.outcome is not None and wanted is CaseState.RESOLVED:
        details["outcome"] = row.outcome
    if former_outcome is not None:
        details["former_outcome"] = former_outcome
    former = CaseState(row.state)
    row.state, row.state_since, row.version = CaseState(wanted), unit.now, row.version + 1
    row.words_since = unit.now if wanted is CaseState.CLOSED else None
    await write_internal_entry(unit, row, "state", actor, reason, details)
    await update_clocks_by_state(unit, row, former)


async def _save_change(unit: Unit, row: CaseRow, before: dict[str, object]) -> None:
    await case_queries.save_case(unit, row)
    unit.record(AuditedChange("case", row.id, row.account_id, before, row.model_dump()))
