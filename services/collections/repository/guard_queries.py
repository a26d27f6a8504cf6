"""The guard's switch, what persons decided about it, and what it counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.collections.domain.policy import SuspensionLimits
from services.collections.repository import policy_queries
from shared.persistence.database import Unit
from shared.pure.ids import new_id

WINDOW = timedelta(hours=1)
"""An hour of the business clock; an approval holds as long."""
MAX_PER_HOUR = 2**31 - 1
"""Suspensions: what a policy says beyond it is no limit."""


@dataclass(frozen=True, slots=True)
class SuspensionGuardState:
    """The guard as it stands."""

    stopped: bool
    approved_until: datetime | None
    requested: int
    """Suspensions requested within the window."""
    oldest: datetime | None
    """The oldest of them: when it leaves the window, the count goes down."""
    accounts: int
    limits: SuspensionLimits | None
    """Those in force; None until there is a policy."""


_STATE = """
SELECT g.stopped, g.approved_until, s.requested, s.oldest, (SELECT count(*) FROM accounts) AS accounts,
    g.suspensions_per_hour, g.share_of_accounts_percent
FROM guard g, (SELECT count(*) AS requested, min(requested_at) AS oldest FROM suspensions WHERE requested_at > $1) s
"""


async def get_suspension_guard_state(unit: Unit) -> SuspensionGuardState:
    """The guard now."""
    row = await unit.connection.fetchrow(_STATE, unit.now - WINDOW)
    per_hour, percent = row["suspensions_per_hour"], row["share_of_accounts_percent"]
    if per_hour is None:
        limits = await _find_limits_of_policy(unit)
    else:
        limits = SuspensionLimits(suspensions_per_hour=per_hour, share_of_accounts_percent=percent)
    return SuspensionGuardState(
        row["stopped"], row["approved_until"], row["requested"], row["oldest"], row["accounts"], limits
    )


async def _find_limits_of_policy(unit: Unit) -> SuspensionLimits | None:
    """Find the limits of the newest version of the policy, which hold until the guard has its own."""
    versions = await policy_queries.list_policy_versions(unit)
    newest = max(versions, key=lambda version: version.number, default=None)
    return newest.policy.guard if newest else None


async def save_guard_limits(unit: Unit, limits: SuspensionLimits) -> None:
    """Save the limits of the guard."""
    await unit.connection.execute(
        "UPDATE guard SET suspensions_per_hour = $1, share_of_accounts_percent = $2 WHERE id = 1",
        min(limits.suspensions_per_hour, MAX_PER_HOUR),
        limits.share_of_accounts_percent,
    )


async def lock_guard(unit: Unit) -> SuspensionGuardState:
    """The guard now, locked until the unit ends, so that no two units count the same room."""
    await unit.connection.fetchval("SELECT id FROM guard WHERE id = 1 FOR UPDATE")
    return await get_suspension_guard_state(unit)


async def save_guard_decision(unit: Unit, decision: str, actor: str, reason: str) -> None:
    """Record what a person decided, and let accounts that the guard held be judged again."""
    await unit.connection.execute(
        "UPDATE guard SET stopped = CASE $1 WHEN 'stop' THEN true WHEN 'resume' THEN false ELSE stopped END,"
        " approved_until = CASE WHEN $1 = 'approve' THEN $2 ELSE approved_until END WHERE id = 1",
        decision,
        unit.now + WINDOW,
    )
    await unit.connection.execute(
        "INSERT INTO guard_decisions (id, decision, actor, reason, decided_at) VALUES ($1, $2, $3, $4, $5)",
        new_id(),
        decision,
        actor,
        reason,
        unit.now,
    )
    if decision != "stop":
        await unit.connection.execute(
            "UPDATE items SET due_at = $1 FROM deferrals d"
            " WHERE d.invoice_id = items.invoice_id AND d.waits_for = 'guard'",
            unit.now,
        )
        unit.wake_after_commit("sweeps")


async def list_guard_decisions(unit: Unit) -> list[dict[str, object]]:
    """The last decisions, newest first."""
    rows = await unit.connection.fetch(
        "SELECT decision, actor, reason, decided_at FROM guard_decisions ORDER BY decided_at DESC, id DESC LIMIT 50"
    )
    return [dict(row) for row in rows]
