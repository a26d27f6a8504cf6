"""The guard: how many suspensions go out before a person must look, whatever the policy says.

A mistake upstream (a lost payment file, a wrong clock) makes many accounts due at once; so the limit is
on suspensions within an hour of the business clock.
"""

from dataclasses import dataclass
from enum import StrEnum

from services.collections.domain.policy import SuspensionLimits
from shared.pure.errors import Refusal

ALL_STOPPED = "all suspensions are stopped"
"""Why no suspension goes out while a person has stopped them."""


class LimitChangeState(StrEnum):
    """States of a change of the guard's limits that somebody wants."""

    PROPOSED = "proposed"
    CARRIED_OUT = "carried_out"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


LIMIT_CHANGE_ALLOWED: dict[LimitChangeState, frozenset[LimitChangeState]] = {
    LimitChangeState.PROPOSED: frozenset(
        {LimitChangeState.CARRIED_OUT, LimitChangeState.DECLINED, LimitChangeState.WITHDRAWN}
    ),
    LimitChangeState.CARRIED_OUT: frozenset(),
    LimitChangeState.DECLINED: frozenset(),
    LimitChangeState.WITHDRAWN: frozenset(),
}


class GuardLimitChangeMoveRefused(Refusal):
    """This cannot be done in the present state."""

    code = "move_refused"


@dataclass(frozen=True, slots=True)
class SuspensionGuardVerdict:
    """Whether one more suspension may be requested, and if not, why."""

    allowed: bool
    reason: str | None = None


def check_suspension_limits(
    *, requested_in_last_hour: int, active_accounts: int, limits: SuspensionLimits, stopped: bool, approved: bool
) -> SuspensionGuardVerdict:
    """Whether one more suspension may be requested now.

    The limit trips only above both the number and the share of the active accounts. A person's approval
    passes the limit, but not the stop-all switch.
    """
    if stopped:
        return SuspensionGuardVerdict(False, ALL_STOPPED)
    count = requested_in_last_hour + 1
    above_number = count > limits.suspensions_per_hour
    above_share = count * 100 > limits.share_of_accounts_percent * active_accounts
    if above_number and above_share and not approved:
        return SuspensionGuardVerdict(False, _describe_excess(count, active_accounts, limits))
    return SuspensionGuardVerdict(True)


def _describe_excess(count: int, active_accounts: int, limits: SuspensionLimits) -> str:
    return (
        f"it would be suspension {count} within an hour, above {limits.suspensions_per_hour} and above "
        f"{limits.share_of_accounts_percent} % of {active_accounts} active accounts: a person must approve it"
    )
