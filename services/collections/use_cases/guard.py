"""The guard: a person stops all suspensions, lets them go on, or approves more than the limit."""

from typing import Literal

from services.collections.domain.policy import SuspensionLimits
from services.collections.repository import guard_queries
from services.collections.repository.guard_queries import SuspensionGuardState
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit

Decision = Literal["stop", "resume", "approve"]


async def record_guard_decision(unit: Unit, decision: Decision, actor: str, reason: str) -> SuspensionGuardState:
    """Record a person's decision; accounts that the guard held are judged again. An approval holds an hour."""
    before = await guard_queries.lock_guard(unit)
    await guard_queries.save_guard_decision(unit, decision, actor, reason)
    after = await guard_queries.get_suspension_guard_state(unit)
    unit.record(AuditedChange("guard", "guard", None, _switches(before), _switches(after)))
    return after


async def set_guard_limits(unit: Unit, limits: SuspensionLimits, actor: str, reason: str) -> SuspensionGuardState:
    """Set the limits of the guard, tighter or looser; accounts that it held are judged again."""
    before = await guard_queries.lock_guard(unit)
    await guard_queries.save_guard_limits(unit, limits)
    await guard_queries.save_guard_decision(unit, "set_limits", actor, reason)
    after = await guard_queries.get_suspension_guard_state(unit)
    unit.record(AuditedChange("guard", "guard", None, _dump_limits(before), _dump_limits(after)))
    return after


def _dump_limits(state: SuspensionGuardState) -> dict[str, object] | None:
    return state.limits.model_dump() if state.limits else None


def _switches(state: SuspensionGuardState) -> dict[str, object]:
    return {"stopped": state.stopped, "approved_until": state.approved_until}
