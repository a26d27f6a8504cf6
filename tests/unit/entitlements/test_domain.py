"""The rules of entitlements, without a database: holds, states, snapshots, what is announced."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.entitlements.domain import sight
from services.entitlements.domain.entitlement import (
    ENTITLEMENT_ALLOWED,
    Entitlement,
    EntitlementMoveRefused,
    EntitlementState,
    begin_suspension,
    is_allowed,
    move_entitlement,
    wanted_state,
    with_hold,
)
from services.entitlements.domain.hold import (
    AlreadyReleased,
    EndsThroughCollections,
    Hold,
    RoleNeeded,
    released_by_hand,
    standing,
)
from services.entitlements.domain.outcome import FinalRefusal
from services.entitlements.domain.renewal import list_missing, read_settings
from services.entitlements.domain.vendor_errors import RefusalKind, classify_refusal
from shared.events import Event
from shared.events.entitlements import HoldReason, SubscriptionReinstated, SubscriptionSuspended

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SETTINGS = {"autoRenewEnabled": True, "scheduledNextTermInstructions": {"quantity": 7}}
LOST = {"autoRenewEnabled": False, "scheduledNextTermInstructions": None}
REASONS: tuple[HoldReason, ...] = ("non_payment", "fraud", "customer_request", "admin")


def a_hold(reason: HoldReason = "fraud", **more: Any) -> Hold:
    suspension = uuid4() if reason == "non_payment" else None
    fields: dict[str, Any] = {"owner": "risk", "comment": None, "placed_at": NOW, "suspension_id": suspension}
    return Hold(id=uuid4(), account_id=UUID(int=1), subscription_id=UUID(int=2), reason=reason, **fields | more)


def an_entitlement(*holds: Hold, state: EntitlementState = EntitlementState.ACTIVE, **more: Any) -> Entitlement:
    fields: dict[str, Any] = {"granted_at": NOW, "since": NOW, "allowed": is_allowed(state, holds)}
    return Entitlement(UUID(int=2), UUID(int=1), "tenant", "vendor", True, state=state, holds=holds, **fields | more)


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
    assert wanted_state(made) == ("suspended" if any(stands for _, stands in holds) else "active")


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
    assert is_allowed(state, [a_hold(reason) for reason in reasons]) is allowed


def test_only_holds_placed_by_hand_are_released_by_hand_and_once() -> None:
    released = released_by_hand(a_hold("admin"), NOW, ())
    assert not released.stands
    with pytest.raises(AlreadyReleased):
        released_by_hand(released, NOW, ())
    with pytest.raises(EndsThroughCollections):
        released_by_hand(a_hold("non_payment"), NOW, ("fraud",))


def test_a_fraud_hold_is_released_by_its_role_only() -> None:
    with pytest.raises(RoleNeeded):
        released_by_hand(a_hold("fraud"), NOW, ("operator", "admin"))
    assert not released_by_hand(a_hold("fraud"), NOW, ("operator", "fraud")).stands


def test_nothing_begins_when_other_holds_stand_than_it_was_decided_from() -> None:
    entitlement = an_entitlement(a_hold())
    assert begin_suspension(entitlement, frozenset(), SETTINGS, NOW) is None


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (SETTINGS, SETTINGS, ()),
        (SETTINGS, LOST, ("autoRenewEnabled", "scheduledNextTermInstructions")),
        (SETTINGS, {"autoRenewEnabled": True}, ("scheduledNextTermInstructions",)),
        (SETTINGS, SETTINGS | {"scheduledNextTermInstructions": {"quantity": 7, "product": None}}, ()),
        (LOST, {}, ()),
        (LOST, {"autoRenewEnabled": None, "scheduledNextTermInstructions": {}}, ()),
        (LOST, {"autoRenewEnabled": True}, ("autoRenewEnabled",)),
    ],
)
def test_renewal_settings_are_compared(before: dict[str, Any], after: dict[str, Any], lost: tuple[str, ...]) -> None:
    assert list_missing(read_settings(before), after) == lost


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (409, "800082", RefusalKind.PASSES),
        (409, "27009", RefusalKind.PASSES),
        (409, "900278", RefusalKind.PASSES),
        (409, "", RefusalKind.PASSES),
        (429, "", RefusalKind.PASSES),
        (503, "", RefusalKind.PASSES),
        (400, "2055", RefusalKind.STALE),
        (412, "", RefusalKind.STALE),
        (400, "2011", RefusalKind.FINAL),
        (409, "800040", RefusalKind.FINAL),
        (404, "20003", RefusalKind.FINAL),
        (404, "", RefusalKind.FINAL),
        (400, "4711", RefusalKind.FINAL),
    ],
)
def test_what_a_refusal_means(status: int, code: str, meaning: RefusalKind) -> None:
    assert classify_refusal(status, code) is meaning


class Story:
    """An entitlement that lives through steps, and a vendor that loses the renewal settings."""

    def __init__(self) -> None:
        self.entitlement = an_entitlement()
        self.now = NOW
        self.settings: dict[str, Any] = SETTINGS
        self.is_suspended = False
        self.told: list[Event] = []

    def step(self, step: str) -> None:
        self.now += timedelta(minutes=1)
        if step in REASONS:
            self.entitlement = with_hold(self.entitlement, a_hold(step), self.now)
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
                self.entitlement = with_hold(self.entitlement, gone, self.now)
                return

    def refuse(self) -> None:
        if self.entitlement.wanted == "suspended" and not self.is_suspended:
            refusal = FinalRefusal(standing(self.entitlement.holds), "800040", "illegal", "suspended")
            self.keep(sight.apply_refusal(self.entitlement, refusal, self.now))

    def sync(self, *, is_lost: bool) -> None:
        if self.entitlement.wanted == "suspended" and not self.is_suspended:
            begun = begin_suspension(self.entitlement, standing(self.entitlement.holds), self.settings, self.now)
            assert begun is not None
            self.entitlement, self.is_suspended, self.settings = begun, True, LOST
        elif self.entitlement.wanted == "active" and self.is_suspended:
            if self.entitlement.state is EntitlementState.SUSPENDING:
                self.keep(sight.apply_suspended(self.entitlement, self.now))
            assert self.entitlement.to_restore is not None
            self.is_suspended, self.settings = False, self.entitlement.to_restore
        if not is_lost and self.is_suspended:
            self.keep(sight.apply_suspended(self.entitlement, self.now))
        elif not is_lost and self.entitlement.state is not EntitlementState.ACTIVE:
            self.keep(sight.apply_active(self.entitlement, (), self.now))

    def keep(self, decided: tuple[Entitlement, list[Event]]) -> None:
        self.entitlement, events = decided
        self.told += events


STEPS = st.sampled_from([*REASONS, "release", "release", "sync", "sync", "crash", "refuse"])


@given(st.lists(STEPS, max_size=30))
def test_whatever_happens_the_settings_come_back_and_each_suspension_is_told_once(steps: list[str]) -> None:
    story = Story()
    for step in steps:
        story.step(step)
        assert story.entitlement.allowed == is_allowed(story.entitlement.state, story.entitlement.holds)
    while story.entitlement.wanted == "suspended":
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
