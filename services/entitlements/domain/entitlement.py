"""An entitlement: access to one subscription, from the holds on it to what the vendor was seen to have."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from services.entitlements.domain.hold import Hold, list_standing_holds
from services.entitlements.domain.renewal_snapshot import RenewalSnapshot
from shared.events.entitlements import WantedAtVendor
from shared.pure.errors import Refusal
from shared.pure.state_tables import transition

Wanted = Literal["active", "suspended"]

SUBSCRIPTION_ENDED = "subscription_ended"
"""Our own code of the refusal to suspend what has ended."""


class EntitlementState(StrEnum):
    """Where the entitlement is with the vendor, as far as it is recorded."""

    ACTIVE = "active"
    SUSPENDING = "suspending"
    """The snapshot is kept and the vendor may have been called: only a look there tells."""
    SUSPENDED = "suspended"
    """It is so at the vendor, and stays so here until the renewal settings were seen to as well."""
    ENDED = "ended"
    """The subscription has ended: access is over for good."""


ENTITLEMENT_ALLOWED: dict[EntitlementState, frozenset[EntitlementState]] = {
    EntitlementState.ACTIVE: frozenset(
        {EntitlementState.SUSPENDING, EntitlementState.SUSPENDED, EntitlementState.ENDED}
    ),
    EntitlementState.SUSPENDING: frozenset(
        {EntitlementState.SUSPENDED, EntitlementState.ACTIVE, EntitlementState.ENDED}
    ),
    EntitlementState.SUSPENDED: frozenset(
        {EntitlementState.ACTIVE, EntitlementState.SUSPENDING, EntitlementState.ENDED}
    ),
    EntitlementState.ENDED: frozenset(),
}


class EntitlementMoveRefused(Refusal):
    """An entitlement cannot go from the state that it is in to the wanted one."""

    code: ClassVar[str] = "entitlement_move_refused"


def move_entitlement(state: EntitlementState, wanted: EntitlementState) -> EntitlementState:
    """The wanted state if the table allows the move (to stay is always allowed), else EntitlementMoveRefused."""
    if wanted is state:
        return state
    words = "an entitlement that is {state} cannot become {wanted}"
    return transition(ENTITLEMENT_ALLOWED, state, wanted, EntitlementMoveRefused, words)


@dataclass(frozen=True, slots=True)
class VendorFailure:
    """A final refusal of the vendor; it stays until something else worked."""

    wanted: WantedAtVendor
    code: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionEntitlement:
    """Access to one subscription. `holds` are those that stand, or whose end is not announced yet."""

    subscription_id: UUID
    account_id: UUID
    vendor_customer_id: str
    vendor_subscription_id: str
    bills_while_suspended: bool
    granted_at: datetime
    state: EntitlementState
    allowed: bool
    since: datetime
    """Since when access is allowed or not."""
    snapshot: RenewalSnapshot | None = None
    """The renewal settings before this suspension, or those that could not be put back after the last one."""
    seen_status: str | None = None
    seen_at: datetime | None = None
    failure: VendorFailure | None = None
    waiting_for: str | None = None
    ended_on: date | None = None
    """The first day without access, in the account's time zone."""
    term_end: date | None = None
    """The end, exclusive, of the term in which it ends."""
    ends_at: datetime | None = None
    """The instant at which `ended_on` begins for the account."""
    renewal_off_at: datetime | None = None
    """When auto-renew was seen off at the vendor after the end was known."""
    holds: tuple[Hold, ...] = ()

    @property
    def wanted_access_state(self) -> Wanted:
        """State that the vendor shall have."""
        return compute_wanted_access_state(self.holds)

    @property
    def must_disable_auto_renew(self) -> bool:
        """Whether the vendor is yet to be told that the subscription is not renewed, and has not refused it."""
        is_refused = self.failure is not None and self.failure.wanted == "auto_renew_off"
        return self.ended_on is not None and self.renewal_off_at is None and not is_refused

    @property
    def renewal_settings_to_restore(self) -> RenewalSnapshot | None:
        """The renewal settings that are still to be put back."""
        return None if self.state is EntitlementState.ACTIVE else self.snapshot


def compute_wanted_access_state(holds: Iterable[Hold]) -> Wanted:
    """Suspended while any hold stands, else active (product rule 4)."""
    return "suspended" if list_standing_holds(holds) else "active"


def is_access_allowed(state: EntitlementState, holds: Iterable[Hold]) -> bool:
    """Whether the subscription may be used.

    A hold for non-payment alone forbids it only once collections confirmed it on fresh facts, that is,
    when the state has left `active`: to be late is fine, to cut off a paying customer is not.
    """
    if state is EntitlementState.ENDED:
        return False
    standing_reasons = {hold.reason for hold in holds if hold.stands}
    return not standing_reasons or (standing_reasons == {"non_payment"} and state is EntitlementState.ACTIVE)


def refresh_access_answer(entitlement: SubscriptionEntitlement, now: datetime) -> SubscriptionEntitlement:
    """Build the entitlement with its access evaluated anew."""
    allowed = is_access_allowed(entitlement.state, entitlement.holds)
    if allowed == entitlement.allowed:
        return entitlement
    return replace(entitlement, allowed=allowed, since=now)


def put_hold_on_entitlement(entitlement: SubscriptionEntitlement, hold: Hold, now: datetime) -> SubscriptionEntitlement:
    """The entitlement with this hold as it is now: placed, changed or released."""
    others = tuple(other for other in entitlement.holds if other.id != hold.id)
    return refresh_access_answer(replace(entitlement, holds=(*others, hold)), now)


def plan_subscription_end(
    entitlement: SubscriptionEntitlement, ended_on: date, term_end: date, ends_at: datetime
) -> SubscriptionEntitlement:
    """Note when the subscription ends; what has ended stays as it ended."""
    if entitlement.state is EntitlementState.ENDED:
        return entitlement
    return replace(entitlement, ended_on=ended_on, term_end=term_end, ends_at=ends_at)


def has_reached_its_end(entitlement: SubscriptionEntitlement, now: datetime) -> bool:
    """Whether its end has come, and access is not over yet."""
    return (
        entitlement.state is not EntitlementState.ENDED
        and entitlement.ends_at is not None
        and entitlement.ends_at <= now
    )


def end_entitlement(entitlement: SubscriptionEntitlement, now: datetime) -> SubscriptionEntitlement:
    """End access for good. Raises EntitlementMoveRefused if it has ended before."""
    return refresh_access_answer(
        replace(entitlement, state=move_entitlement(entitlement.state, EntitlementState.ENDED), waiting_for=None), now
    )


def mark_auto_renew_off(entitlement: SubscriptionEntitlement, now: datetime) -> SubscriptionEntitlement:
    """Note that auto-renew is off at the vendor, and is not to be put back after a suspension."""
    snapshot = entitlement.snapshot and entitlement.snapshot.disable_auto_renew()
    failure = entitlement.failure if entitlement.failure and entitlement.failure.wanted != "auto_renew_off" else None
    return replace(entitlement, renewal_off_at=now, snapshot=snapshot, failure=failure, waiting_for=None)


def begin_vendor_suspension(
    entitlement: SubscriptionEntitlement, decided_from: frozenset[UUID], renewal: RenewalSnapshot, now: datetime
) -> SubscriptionEntitlement | None:
    """The entitlement just before the vendor is called; None if other holds stand now than it was decided from.

    The snapshot is taken once for a suspension: after the call the vendor shows auto-renew off.
    """
    if list_standing_holds(entitlement.holds) != decided_from:
        return None
    holds = (replace(hold, attempted_at=now) if hold.stands else hold for hold in entitlement.holds)
    begun = replace(
        entitlement,
        state=move_entitlement(entitlement.state, EntitlementState.SUSPENDING),
        snapshot=renewal if entitlement.state is EntitlementState.ACTIVE else entitlement.snapshot,
        holds=tuple(holds),
    )
    return refresh_access_answer(begun, now)
