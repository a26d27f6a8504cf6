"""The rules of entitlements, without a database: holds, states, snapshots, what is announced."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.entitlements.domain import vendor_observation
from services.entitlements.domain.entitlement import (
    ENTITLEMENT_ALLOWED,
    EntitlementMoveRefused,
    EntitlementState,
    SubscriptionEntitlement,
    begin_vendor_suspension,
    compute_wanted_access_state,
    is_access_allowed,
    move_entitlement,
    put_hold_on_entitlement,
)
from services.entitlements.domain.hold import (
    FraudRoleNeeded,
    Hold,
    HoldAlreadyReleased,
    HoldEndsThroughCollections,
    list_standing_holds,
    release_hold_by_hand,
)
from services.entitlements.domain.renewal_snapshot import RenewalSnapshot
from services.entitlements.domain.sync_outcome import FinalVendorRefusal
from shared.events import Event
from shared.events.entitlements import HoldReason, SubscriptionReinstated, SubscriptionSuspended

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SETTINGS = RenewalSnapshot(is_auto_renew_on=True, vendor_settings={"next_term": {"quantity": 7}})
LOST = RenewalSnapshot(is_auto_renew_on=False, vendor_settings={})
REASONS: tuple[HoldReason, ...] = ("non_payment", "fraud", "customer_request", "admin")


def a_hold(reason: HoldReason = "fraud", **more: Any) -> Hold:
    suspension = uuid4() if reason == "non_payment" else None
    fields: dict[str, Any] = {"owner": "risk", "comment": None, "placed_at": NOW, "suspension_id": suspension}
    return Hold(id=uuid4(), account_id=UUID(int=1), subscription_id=UUID(int=2), reason=reason, **fields | more)


def an_entitlement(
    *holds: Hold, state: EntitlementState = EntitlementState.ACTIVE, **more: Any
) -> SubscriptionEntitlement:
    fields: dict[str, Any] = {"granted_at": NOW, "since": NOW, "allowed": is_access_allowed(state, holds)}
    return SubscriptionEntitlement(
        UUID(int=2), UUID(int=1), "tenant", "vendor", True, state=state, holds=holds, **fields | more
    )


@pytest.mark.parametrize("state", EntitlementState)
@pytest.mark.parametrize("wanted", EntitlementState)
def test_moves_are_those_of_the_table(state: EntitlementState, wanted: EntitlementState) -> None:
    if wanted is state or wanted in ENTITLEMENT_ALLOWED[state]:
        assert move_entitlement(state, wanted) is wanted
    else:
        with pytest.raises(EntitlementMoveRefused):
            move_entitlement(state, wanted)


@given(st.lists(st.tuples(st.sampled_from(REASONS), st.booleans())))
def test_suspended_is_wanted_while_any_hold_stands(holds: list[tuple[HoldReason, bool]]) -> None:
    made = [a_hold(reason, released_at=None if stands else NOW) for reason, stands in holds]
    assert compute_wanted_access_state(made) == ("suspended" if any(stands for _, stands in holds) else "active")


@pytest.mark.parametrize(
    ("reasons", "state", "allowed"),
    [
        ((), EntitlementState.ACTIVE, True),
        ((), EntitlementState.SUSPENDED, True),
        (("non_payment",), EntitlementState.ACTIVE, True),
        (("non_payment",), EntitlementState.SUSPENDING, False),
        (("non_payment",), EntitlementState.SUSPENDED, False),
        (("fraud",), EntitlementState.ACTIVE, False),
        (("fraud", "non_payment"), EntitlementState.ACTIVE, False),
    ],
)
def test_who_may_use_it(reasons: tuple[HoldReason, ...], state: EntitlementState, allowed: bool) -> None:
    assert is_access_allowed(state, [a_hold(reason) for reason in reasons]) is allowed


def test_only_holds_placed_by_hand_are_released_by_hand_and_once() -> None:
    released = release_hold_by_hand(a_hold("admin"), NOW, ())
    assert not released.stands
    with pytest.raises(HoldAlreadyReleased):
        release_hold_by_hand(released, NOW, ())
    with pytest.raises(HoldEndsThroughCollections):
        release_hold_by_hand(a_hold("non_payment"), NOW, ("fraud",))


def test_a_fraud_hold_is_released_by_its_role_only() -> None:
    with pytest.raises(FraudRoleNeeded):
        release_hold_by_hand(a_hold("fraud"), NOW, ("operator", "admin"))
    assert not release_hold_by_hand(a_hold("fraud"), NOW, ("operator", "fraud")).stands


def test_nothing_begins_when_other_holds_stand_than_it_was_decided_from() -> None:
    entitlement = an_entitlement(a_hold())
    assert begin_vendor_suspension(entitlement, frozenset(), SETTINGS, NOW) is None


class Story:
    """An entitlement that lives through steps, and a vendor that loses the renewal settings."""

    def __init__(self) -> None:
        self.entitlement = an_entitlement()
        self.now = NOW
        self.settings = SETTINGS
        self.is_suspended = False
        self.told: list[Event] = []

    def step(self, step: str) -> None:
        self.now += timedelta(minutes=1)
        if step in REASONS:
            self.entitlement = put_hold_on_entitlement(self.entitlement, a_hold(step), self.now)
        elif step == "release":
            self.release()
        elif step == "refuse":
            self.refuse()
        else:
            self.sync(is_lost=step == "crash")

    def release(self) -> None:
        for hold in self.entitlement.holds:
            if hold.stands:
                fields = {name: getattr(hold, name) for name in Hold.__dataclass_fields__}
                gone = Hold(**fields | {"released_at": self.now})
                self.entitlement = put_hold_on_entitlement(self.entitlement, gone, self.now)
                return

    def refuse(self) -> None:
        if self.entitlement.wanted_access_state == "suspended" and not self.is_suspended:
            refusal = FinalVendorRefusal(list_standing_holds(self.entitlement.holds), "800040", "illegal", "suspended")
            self.keep(vendor_observation.apply_vendor_refusal(self.entitlement, refusal, self.now))

    def sync(self, *, is_lost: bool) -> None:
        if self.entitlement.wanted_access_state == "suspended" and not self.is_suspended:
            begun = begin_vendor_suspension(
                self.entitlement, list_standing_holds(self.entitlement.holds), self.settings, self.now
            )
            assert begun is not None
            self.entitlement, self.is_suspended, self.settings = begun, True, LOST
        elif self.entitlement.wanted_access_state == "active" and self.is_suspended:
            if self.entitlement.state is EntitlementState.SUSPENDING:
                self.keep(vendor_observation.apply_suspension_seen(self.entitlement, self.now))
            assert self.entitlement.renewal_settings_to_restore is not None
            self.is_suspended, self.settings = False, self.entitlement.renewal_settings_to_restore
        if not is_lost and self.is_suspended:
            self.keep(vendor_observation.apply_suspension_seen(self.entitlement, self.now))
        elif not is_lost and self.entitlement.state is not EntitlementState.ACTIVE:
            self.keep(vendor_observation.apply_activity_seen(self.entitlement, (), self.now))

    def keep(self, decided: tuple[SubscriptionEntitlement, list[Event]]) -> None:
        self.entitlement, events = decided
        self.told += events


STEPS = st.sampled_from([*REASONS, "release", "release", "sync", "sync", "crash", "refuse"])


@given(st.lists(STEPS, max_size=30))
def test_whatever_happens_the_settings_come_back_and_each_suspension_is_told_once(steps: list[str]) -> None:
    story = Story()
    for step in steps:
        story.step(step)
        assert story.entitlement.allowed == is_access_allowed(story.entitlement.state, story.entitlement.holds)
    while story.entitlement.wanted_access_state == "suspended":
        story.step("release")
    story.step("sync")
    assert story.settings == SETTINGS
    assert (story.entitlement.state, story.entitlement.allowed, story.is_suspended) == (
        EntitlementState.ACTIVE,
        True,
        False,
    )
    begun = [event.suspension_id for event in story.told if isinstance(event, SubscriptionSuspended)]
    ended = [event.suspension_id for event in story.told if isinstance(event, SubscriptionReinstated)]
    named = [suspension_id for suspension_id in begun if suspension_id]
    assert len(named) == len(set(named))
    assert Counter(suspension_id for suspension_id in ended if suspension_id) == Counter(named)
    assert bool(begun) == bool(ended)
