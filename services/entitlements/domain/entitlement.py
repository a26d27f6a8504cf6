"""An entitlement: access to one subscription, from the holds on it to what the vendor was seen to have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal
from uuid import UUID

from services.entitlements.domain.hold import Hold, standing
from shared.errors import Refusal

Wanted = Literal["active", "suspended"]


class State(StrEnum):
    """Where the entitlement is with the vendor, as far as it is recorded."""

    ACTIVE = "active"
    SUSPENDING = "suspending"
    """The snapshot is kept and the vendor may have been called: only a look there tells."""
    SUSPENDED = "suspended"
    """It is so at the vendor, and stays so here until the renewal settings were seen to as well."""


ALLOWED: dict[State, frozenset[State]] = {
    State.ACTIVE: frozenset({State.SUSPENDING, State.SUSPENDED}),
    State.SUSPENDING: frozenset({State.SUSPENDED, State.ACTIVE}),
    State.SUSPENDED: frozenset({State.ACTIVE, State.SUSPENDING}),
}


class EntitlementMoveRefused(Refusal):
    """An entitlement cannot go from the state that it is in to the wanted one."""

    code: ClassVar[str] = "entitlement_move_refused"


def moved_to(state: State, wanted: State) -> State:
    """The wanted state if the table allows the move (to stay is always allowed), else EntitlementMoveRefused."""
    if wanted is not state and wanted not in ALLOWED[state]:
        raise EntitlementMoveRefused(f"an entitlement that is {state} cannot become {wanted}")
    return wanted


@dataclass(frozen=True, slots=True)
class Failure:
    """What the vendor refused for good; it stays until something else worked."""

    wanted: Wanted
    code: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Access to one subscription. `holds` are those that stand, or whose end is not announced yet."""

    subscription_id: UUID
    account_id: UUID
    vendor_customer_id: str
    vendor_subscription_id: str
    bills_while_suspended: bool
    granted_at: datetime
    state: State
    allowed: bool
    since: datetime
    """Since when access is allowed or not."""
    snapshot: dict[str, Any] | None = None
    """The renewal settings before this suspension, or those that could not be put back after the last one."""
    seen_status: str | None = None
    seen_at: datetime | None = None
    failure: Failure | None = None
    waiting_for: str | None = None
    holds: tuple[Hold, ...] = ()

    @property
    def wanted(self) -> Wanted:
        """What the vendor shall have."""
        return wanted_state(self.holds)

    @property
    def to_restore(self) -> dict[str, Any] | None:
        """The renewal settings that are still to be put back."""
        return None if self.state is State.ACTIVE else self.snapshot


def wanted_state(holds: Iterable[Hold]) -> Wanted:
    """Suspended while any hold stands, else active (product rule 4)."""
    return "suspended" if standing(holds) else "active"


def is_allowed(state: State, holds: Iterable[Hold]) -> bool:
    """Whether the subscription may be used.

    A hold for non-payment alone forbids it only once collections confirmed it on fresh facts, that is,
    when the state has left `active`: to be late is fine, to cut off a paying customer is not.
    """
    why = {hold.reason for hold in holds if hold.stands}
    return not why or (why == {"non_payment"} and state is State.ACTIVE)


def judged(entitlement: Entitlement, now: datetime) -> Entitlement:
    """The entitlement with its access judged anew."""
    allowed = is_allowed(entitlement.state, entitlement.holds)
    if allowed == entitlement.allowed:
        return entitlement
    return replace(entitlement, allowed=allowed, since=now)


def with_hold(entitlement: Entitlement, hold: Hold, now: datetime) -> Entitlement:
    """The entitlement with this hold as it is now: placed, changed or released."""
    others = tuple(one for one in entitlement.holds if one.id != hold.id)
    return judged(replace(entitlement, holds=(*others, hold)), now)


def suspending(
    entitlement: Entitlement, decided_from: frozenset[UUID], settings: Mapping[str, Any], now: datetime
) -> Entitlement | None:
    """The entitlement just before the vendor is called; None if other holds stand now than it was decided from.

    The snapshot is taken once for a suspension: after the call the vendor shows auto-renew off.
    """
    if standing(entitlement.holds) != decided_from:
        return None
    holds = (replace(hold, attempted_at=now) if hold.stands else hold for hold in entitlement.holds)
    begun = replace(
        entitlement,
        state=moved_to(entitlement.state, State.SUSPENDING),
        snapshot=dict(settings) if entitlement.state is State.ACTIVE else entitlement.snapshot,
        holds=tuple(holds),
    )
    return judged(begun, now)
