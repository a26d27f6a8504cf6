"""Consequences of an observation at the vendor, by examples: the state, the answer about access, what is announced."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.entitlements.domain.entitlement import (
    EntitlementMoveRefused,
    EntitlementState,
    SubscriptionEntitlement,
    VendorFailure,
    begin_vendor_suspension,
    end_entitlement,
    has_reached_its_end,
    mark_auto_renew_off,
    plan_subscription_end,
    put_hold_on_entitlement,
)
from services.entitlements.domain.hold import Hold, list_hold_reasons, list_suspension_ids
from services.entitlements.domain.renewal_snapshot import RenewalSnapshot
from services.entitlements.domain.sync_outcome import FinalVendorRefusal
from services.entitlements.domain.vendor_observation import (
    apply_activity_seen,
    apply_suspension_seen,
    apply_vendor_refusal,
    clear_pending_change,
)
from services.entitlements.domain.vendor_port import VendorRefusedForGood
from shared.events.entitlements import (
    HoldReason,
    RenewalSettingsNotRestored,
    SubscriptionReinstated,
    SubscriptionSuspended,
    SuspensionRefusedByVendor,
    VendorSyncFailed,
)

ACCOUNT, SUBSCRIPTION = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SETTINGS = RenewalSnapshot(is_auto_renew_on=True, vendor_settings={})
FAILURE = VendorFailure("active", "500", "down", NOW)


def build_hold(number: int, reason: HoldReason = "non_payment") -> Hold:
    suspension_id = UUID(int=100 + number) if reason == "non_payment" else None
    return Hold(UUID(int=number), ACCOUNT, SUBSCRIPTION, reason, "risk", None, NOW, suspension_id)


def build_entitlement(state: EntitlementState, *holds: Hold) -> SubscriptionEntitlement:
    return SubscriptionEntitlement(
        SUBSCRIPTION,
        ACCOUNT,
        "tenant",
        "vendor",
        True,
        NOW,
        state,
        not holds,
        NOW,
        snapshot=SETTINGS,
        failure=FAILURE,
        waiting_for="the vendor",
        holds=holds,
    )


def announce_suspended(suspension_id: UUID | None, *reasons: HoldReason) -> SubscriptionSuspended:
    return SubscriptionSuspended(
        account_id=ACCOUNT,
        subscription_id=SUBSCRIPTION,
        suspension_id=suspension_id,
        hold_reasons=reasons,
        vendor_bills_on=True,
    )


def test_a_suspension_is_announced_for_each_of_collections_with_all_reasons() -> None:
    holds = (build_hold(2), build_hold(1), build_hold(3, "fraud"))
    after, events = apply_suspension_seen(build_entitlement(EntitlementState.SUSPENDING, *holds), LATER)
    assert events == [
        announce_suspended(UUID(int=101), "fraud", "non_payment"),
        announce_suspended(UUID(int=102), "fraud", "non_payment"),
    ]
    assert (after.state, after.seen_status, after.seen_at) == (EntitlementState.SUSPENDED, "suspended", LATER)
    assert (after.failure, after.waiting_for, after.allowed) == (None, None, False)
    assert [hold.effective_at for hold in after.holds] == [LATER, LATER, LATER]
    assert apply_suspension_seen(after, LATER) == (after, [])


def test_a_suspension_without_collections_is_announced_once() -> None:
    suspending = build_entitlement(EntitlementState.SUSPENDING, build_hold(3, "fraud"))
    after, events = apply_suspension_seen(suspending, LATER)
    assert events == [announce_suspended(None, "fraud")]
    assert apply_suspension_seen(after, LATER)[1] == []


def test_a_suspension_that_is_wanted_no_more_is_announced_with_what_caused_it() -> None:
    released = replace(build_hold(1), attempted_at=NOW, released_at=NOW)
    never_tried = replace(build_hold(2), released_at=NOW)
    suspending = build_entitlement(EntitlementState.SUSPENDING, released, never_tried)
    after, events = apply_suspension_seen(suspending, LATER)
    assert events == [announce_suspended(UUID(int=101), "non_payment")]
    assert [hold.effective_at for hold in after.holds] == [LATER, None]
    assert (after.allowed, after.since) == (True, LATER)


def test_activity_ends_what_was_suspended_and_says_that_the_settings_are_back() -> None:
    over = replace(build_hold(1), effective_at=NOW, released_at=NOW)
    tried = replace(build_hold(2), attempted_at=NOW, released_at=NOW)
    after, events = apply_activity_seen(build_entitlement(EntitlementState.SUSPENDED, over, tried), (), LATER)
    assert events == [
        SubscriptionReinstated(
            account_id=ACCOUNT, subscription_id=SUBSCRIPTION, suspension_id=UUID(int=101), renewal_restored=True
        )
    ]
    assert (after.state, after.seen_status, after.seen_at) == (EntitlementState.ACTIVE, "active", LATER)
    assert (after.snapshot, after.failure, after.waiting_for) == (None, None, None)
    assert [(hold.ended_at, hold.attempted_at) for hold in after.holds] == [(LATER, None), (None, None)]
    assert (after.allowed, after.since) == (True, LATER)


def test_settings_that_are_not_back_are_a_failure_and_announced() -> None:
    missing = ("term", "quantity")
    after, events = apply_activity_seen(build_entitlement(EntitlementState.SUSPENDED), missing, LATER)
    assert events == [
        SubscriptionReinstated(
            account_id=ACCOUNT, subscription_id=SUBSCRIPTION, suspension_id=None, renewal_restored=False
        ),
        RenewalSettingsNotRestored(
            account_id=ACCOUNT, subscription_id=SUBSCRIPTION, suspension_id=None, missing_settings=missing
        ),
    ]
    assert after.failure == VendorFailure("active", "renewal_settings_not_restored", "term, quantity", LATER)
    assert after.snapshot == SETTINGS
    named = build_entitlement(EntitlementState.SUSPENDED, replace(build_hold(1), effective_at=NOW, released_at=NOW))
    assert [event.suspension_id for event in apply_activity_seen(named, missing, LATER)[1]] == [UUID(int=101)] * 2  # type: ignore[attr-defined]


def test_activity_that_is_no_news_is_not_announced() -> None:
    active = build_entitlement(EntitlementState.ACTIVE)
    assert apply_activity_seen(active, (), LATER)[1] == []
    over = replace(build_hold(1, "fraud"), effective_at=NOW, released_at=NOW)
    assert len(apply_activity_seen(build_entitlement(EntitlementState.ACTIVE, over), (), LATER)[1]) == 1


def test_a_refused_suspension_is_announced_for_each_of_collections_and_nothing_is_suspended() -> None:
    standing = replace(build_hold(1), attempted_at=NOW)
    released = replace(build_hold(2), released_at=NOW)
    refusal = FinalVendorRefusal(frozenset({standing.id}), "800040", "illegal", "suspended")
    after, events = apply_vendor_refusal(
        build_entitlement(EntitlementState.SUSPENDING, standing, released), refusal, LATER
    )
    assert events == [
        SuspensionRefusedByVendor(
            account_id=ACCOUNT, subscription_id=SUBSCRIPTION, suspension_id=UUID(int=101), vendor_code="800040"
        )
    ]
    assert (after.state, after.waiting_for) == (EntitlementState.ACTIVE, None)
    assert after.failure == VendorFailure("suspended", "800040", "illegal", LATER)
    assert [hold.attempted_at for hold in after.holds] == [None, None]
    assert (after.allowed, after.since) == (True, LATER)
    suspended, events = apply_vendor_refusal(
        build_entitlement(EntitlementState.SUSPENDED, build_hold(3, "fraud")), refusal, LATER
    )
    assert (suspended.state, [event.suspension_id for event in events]) == (EntitlementState.SUSPENDED, [None])  # type: ignore[attr-defined]


def test_a_refusal_of_anything_else_is_announced_as_such() -> None:
    suspended = build_entitlement(EntitlementState.SUSPENDED)
    refusal = FinalVendorRefusal(frozenset(), "2001", "gone", "active")
    after, events = apply_vendor_refusal(suspended, refusal, LATER)
    assert events == [
        VendorSyncFailed(account_id=ACCOUNT, subscription_id=SUBSCRIPTION, wanted_state="active", vendor_code="2001")
    ]
    assert after == replace(suspended, failure=VendorFailure("active", "2001", "gone", LATER), waiting_for=None)


def test_what_stood_in_the_way_of_a_suspension_matters_no_more() -> None:
    active = build_entitlement(EntitlementState.ACTIVE)
    assert clear_pending_change(active) == replace(active, waiting_for=None)
    refused = replace(active, failure=VendorFailure("suspended", "1", "no", NOW))
    assert clear_pending_change(refused) == replace(active, failure=None, waiting_for=None)


def test_the_snapshot_is_taken_once_for_a_suspension() -> None:
    hold, released = build_hold(1, "fraud"), replace(build_hold(2), released_at=NOW)
    active = replace(build_entitlement(EntitlementState.ACTIVE, hold, released), snapshot=None)
    begun = begin_vendor_suspension(active, frozenset({hold.id}), SETTINGS, LATER)
    assert begun is not None
    assert (begun.state, begun.snapshot) == (EntitlementState.SUSPENDING, SETTINGS)
    assert [each.attempted_at for each in begun.holds] == [LATER, None]
    assert begun.renewal_settings_to_restore == SETTINGS
    again = begin_vendor_suspension(begun, frozenset({hold.id}), SETTINGS.disable_auto_renew(), LATER)
    assert again is not None
    assert again.snapshot == SETTINGS


def test_access_for_non_payment_ends_when_the_vendor_is_called() -> None:
    hold = build_hold(1)
    active = replace(build_entitlement(EntitlementState.ACTIVE, hold), allowed=True)
    begun = begin_vendor_suspension(active, frozenset({hold.id}), SETTINGS, LATER)
    assert begun is not None
    assert (begun.allowed, begun.since) == (False, LATER)


def test_a_refusal_ends_what_was_suspended_before_and_keeps_what_is() -> None:
    over = replace(build_hold(1), attempted_at=NOW, effective_at=NOW, released_at=NOW)
    effective = replace(build_hold(2), attempted_at=NOW, effective_at=NOW)
    refusal = FinalVendorRefusal(frozenset({effective.id}), "800040", "illegal", "suspended")
    after, _ = apply_vendor_refusal(build_entitlement(EntitlementState.SUSPENDING, over, effective), refusal, LATER)
    assert after.holds == (replace(over, ended_at=LATER), effective)


def test_the_answer_about_access_says_since_when() -> None:
    active = build_entitlement(EntitlementState.ACTIVE)
    blocked = put_hold_on_entitlement(active, build_hold(1, "fraud"), LATER)
    assert (blocked.allowed, blocked.since) == (False, LATER)
    again = put_hold_on_entitlement(blocked, build_hold(2, "admin"), LATER + timedelta(hours=1))
    assert (again.since, [hold.id.int for hold in again.holds]) == (LATER, [1, 2])
    changed = put_hold_on_entitlement(again, replace(build_hold(1, "fraud"), released_at=LATER), LATER)
    assert [(hold.id.int, hold.stands) for hold in changed.holds] == [(2, True), (1, False)]


def test_an_end_is_planned_reached_and_for_good() -> None:
    active = build_entitlement(EntitlementState.ACTIVE)
    assert not has_reached_its_end(active, LATER)
    planned = plan_subscription_end(active, date(2026, 3, 2), date(2026, 4, 1), LATER)
    assert (planned.ended_on, planned.term_end, planned.ends_at) == (date(2026, 3, 2), date(2026, 4, 1), LATER)
    assert planned.must_disable_auto_renew
    assert not has_reached_its_end(planned, NOW)
    assert has_reached_its_end(planned, LATER)
    ended = end_entitlement(planned, LATER)
    assert (ended.state, ended.allowed, ended.since, ended.waiting_for) == (EntitlementState.ENDED, False, LATER, None)
    assert not has_reached_its_end(ended, LATER)
    assert plan_subscription_end(ended, date(2027, 1, 1), date(2027, 1, 1), LATER) == ended
    with pytest.raises(EntitlementMoveRefused, match=r"^an entitlement that is ended cannot become active$"):
        apply_activity_seen(ended, (), LATER)


def test_auto_renew_that_is_off_is_not_put_back() -> None:
    planned = plan_subscription_end(
        build_entitlement(EntitlementState.SUSPENDED), date(2026, 3, 2), date(2026, 4, 1), LATER
    )
    off = mark_auto_renew_off(planned, LATER)
    assert (off.renewal_off_at, off.waiting_for, off.failure) == (LATER, None, FAILURE)
    assert off.snapshot == RenewalSnapshot(is_auto_renew_on=False, vendor_settings={})
    assert not off.must_disable_auto_renew
    refused = replace(planned, snapshot=None, failure=VendorFailure("auto_renew_off", "1", "no", NOW))
    assert not refused.must_disable_auto_renew
    assert (mark_auto_renew_off(refused, LATER).snapshot, mark_auto_renew_off(refused, LATER).failure) == (None, None)
    assert mark_auto_renew_off(replace(planned, failure=None), LATER).failure is None


def test_reasons_and_suspensions_are_listed_in_order() -> None:
    holds = [build_hold(2), build_hold(3, "fraud"), build_hold(1), build_hold(4, "admin")]
    assert list_hold_reasons(holds) == ("admin", "fraud", "non_payment")
    assert list_suspension_ids(holds) == [UUID(int=101), UUID(int=102)]


def test_a_final_refusal_has_the_vendors_code_and_words() -> None:
    refused = VendorRefusedForGood("800040", "illegal")
    assert (str(refused), refused.code, refused.detail) == ("800040: illegal", "800040", "illegal")
