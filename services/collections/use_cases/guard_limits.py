"""The limits of the guard are tightened by one person, and loosened by two once a suspension was requested."""

from typing import Any
from uuid import UUID

from services.collections.domain.guard import LIMIT_CHANGE_ALLOWED, GuardLimitChangeMoveRefused, LimitChangeState
from services.collections.domain.policy import SuspensionLimits
from services.collections.repository.guard_limit_queries import (
    find_open_guard_change,
    get_guard_limit_change,
    has_requested_any_suspension,
    save_suspension_limit_change,
)
from services.collections.repository.guard_queries import SuspensionGuardState, lock_guard
from services.collections.tables import GuardLimitChangeRow
from services.collections.use_cases.guard import set_guard_limits
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.ids import new_id
from shared.pure.proposals import ChangeAlreadyProposed, NotTheProposer, ProposedFactsChanged, SecondPersonNeeded
from shared.pure.state_tables import transition
from shared.web.auth import Caller, is_same_actor


async def change_guard_limits(unit: Unit, caller: Caller, limits: SuspensionLimits, reason: str) -> GuardLimitChangeRow:
    """Set the limits of the guard, or propose looser ones. Raises ChangeAlreadyProposed.

    Whoever sends their own proposal again gets it again.
    """
    state = await lock_guard(unit)
    row = _build_row(unit, caller, state, limits, reason)
    if not await _needs_second_person(unit, state, limits):
        row.state, row.decided_at = LimitChangeState.CARRIED_OUT, unit.now
        await save_suspension_limit_change(unit, row)
        await set_guard_limits(unit, limits, caller.subject, reason)
        return row
    standing = await find_open_guard_change(unit)
    if standing is not None:
        return _repeat_proposal(unit, standing, row)
    await save_suspension_limit_change(unit, row)
    unit.record(AuditedChange("guard_limit_change", row.id, None, None, {"state": row.state}))
    return row


async def approve_guard_limits(unit: Unit, change_id: UUID, caller: Caller, reason: str) -> GuardLimitChangeRow:
    """Agree to looser limits that somebody else proposed, and set them.

    Raises NotFound, GuardLimitChangeMoveRefused, SecondPersonNeeded, ProposedFactsChanged.
    """
    state, row = await _lock_to_decide(unit, change_id, caller)
    if _dump_limits(state) != row.former:
        raise ProposedFactsChanged("the limits were changed meanwhile: decline or withdraw it, and propose it anew")
    await _save_decision(unit, row, LimitChangeState.CARRIED_OUT, caller, reason)
    await set_guard_limits(unit, SuspensionLimits.model_validate(row.wanted), row.proposed_by, row.reason)
    return row


async def decline_guard_limits(unit: Unit, change_id: UUID, caller: Caller, reason: str) -> GuardLimitChangeRow:
    """Disagree with limits that somebody else proposed.

    Raises NotFound, GuardLimitChangeMoveRefused, SecondPersonNeeded.
    """
    _, row = await _lock_to_decide(unit, change_id, caller)
    return await _end_change(unit, row, LimitChangeState.DECLINED, caller, reason)


async def withdraw_guard_limits(unit: Unit, change_id: UUID, caller: Caller, reason: str) -> GuardLimitChangeRow:
    """Take back one's own proposal. Raises NotFound, GuardLimitChangeMoveRefused, NotTheProposer."""
    _, row = await _lock_proposed(unit, change_id)
    if not is_same_actor(caller.subject, row.proposed_by):
        raise NotTheProposer(f"{row.proposed_by} proposed it: decline it instead")
    return await _end_change(unit, row, LimitChangeState.WITHDRAWN, caller, reason)


async def _needs_second_person(unit: Unit, state: SuspensionGuardState, limits: SuspensionLimits) -> bool:
    return (
        state.limits is not None
        and limits.allows_more_suspensions_than(state.limits)
        and await has_requested_any_suspension(unit)
    )


def _repeat_proposal(unit: Unit, standing: GuardLimitChangeRow, row: GuardLimitChangeRow) -> GuardLimitChangeRow:
    is_same = (standing.former, standing.wanted) == (row.former, row.wanted)
    if not is_same or not is_same_actor(standing.proposed_by, row.proposed_by):
        raise ChangeAlreadyProposed(
            f"a change of them is proposed already, as {standing.id}: decide that first",
            guard_limit_change_id=str(standing.id),
        )
    unit.record_nothing()
    return standing


async def _lock_to_decide(
    unit: Unit, change_id: UUID, caller: Caller
) -> tuple[SuspensionGuardState, GuardLimitChangeRow]:
    state, row = await _lock_proposed(unit, change_id)
    if is_same_actor(caller.subject, row.proposed_by):
        raise SecondPersonNeeded(f"{row.proposed_by} proposed it, so somebody else decides")
    return state, row


async def _lock_proposed(unit: Unit, change_id: UUID) -> tuple[SuspensionGuardState, GuardLimitChangeRow]:
    state, row = await lock_guard(unit), await get_guard_limit_change(unit, change_id)
    _check_move(row, LimitChangeState.CARRIED_OUT)
    return state, row


async def _end_change(
    unit: Unit, row: GuardLimitChangeRow, state: LimitChangeState, caller: Caller, reason: str
) -> GuardLimitChangeRow:
    before = {"state": row.state}
    await _save_decision(unit, row, state, caller, reason)
    unit.record(AuditedChange("guard_limit_change", row.id, None, before, {"state": row.state}))
    return row


async def _save_decision(
    unit: Unit, row: GuardLimitChangeRow, state: LimitChangeState, caller: Caller, reason: str
) -> None:
    _check_move(row, state)
    row.state, row.decided_by, row.decision_reason, row.decided_at = state.value, caller.subject, reason, unit.now
    await save_suspension_limit_change(unit, row)


def _check_move(row: GuardLimitChangeRow, wanted: LimitChangeState) -> None:
    words = "it is {state}, and cannot be {wanted} now"
    transition(LIMIT_CHANGE_ALLOWED, LimitChangeState(row.state), wanted, GuardLimitChangeMoveRefused, words)


def _dump_limits(state: SuspensionGuardState) -> dict[str, Any]:
    return state.limits.model_dump() if state.limits else {}


def _build_row(
    unit: Unit, caller: Caller, state: SuspensionGuardState, limits: SuspensionLimits, reason: str
) -> GuardLimitChangeRow:
    return GuardLimitChangeRow(
        id=new_id(),
        former=_dump_limits(state),
        wanted=limits.model_dump(),
        reason=reason,
        state=LimitChangeState.PROPOSED.value,
        proposed_by=caller.subject,
        proposed_at=unit.now,
        decided_by=None,
        decision_reason=None,
        decided_at=None,
    )
