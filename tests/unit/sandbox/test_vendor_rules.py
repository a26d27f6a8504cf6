"""The vendor's own rules: what a PATCH makes of a subscription."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from sandbox.vendor_simulator.subscription import (
    Status,
    Subscription,
    SubscriptionSeed,
    VendorRefusal,
    create_vendor_subscription,
    patch_vendor_subscription,
)

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
NEXT_TERM = {"product": {"termDuration": "P1Y"}, "quantity": 7}
LEGAL = {
    ("active", "suspended"): None,
    ("active", "deleted"): None,
    ("suspended", "active"): None,
    ("suspended", "deleted"): None,
}


def existing(**more: Any) -> Subscription:
    """A subscription that can still be cancelled, with a change scheduled for its next term."""
    usual = {
        "quantity": 10,
        "scheduled_next_term_instructions": NEXT_TERM,
        "cancellation_allowed_until_date": NOW,
    }
    return create_vendor_subscription("tenant-17", "subscription-17", SubscriptionSeed(**(usual | more)))


def change(subscription: Subscription, **fields: Any) -> Subscription:
    """The subscription after a PATCH of its whole resource with these fields changed."""
    body = subscription.build_resource() | fields
    return patch_vendor_subscription(subscription, body, subscription.etag, NOW)


def refuse_change(subscription: Subscription, **fields: Any) -> tuple[int, int]:
    """HTTP status and code of the refusal of a change."""
    with pytest.raises(VendorRefusal) as refusal:
        change(subscription, **fields)
    return refusal.value.status, refusal.value.code


@pytest.mark.parametrize(("before", "after"), [*itertools.product(get_args(Status), repeat=2)])
def test_every_change_of_status(before: Status, after: Status) -> None:
    subscription = existing(status=before)
    if before == "deleted":
        assert refuse_change(subscription, status=after) == (400, 2011)
    elif before == "pending":
        assert refuse_change(subscription, status=after) == (409, 800082)
    elif before == after or (before, after) in LEGAL:
        changed = change(subscription, status=after)
        assert changed.status == after
        assert changed.effects == ({} if before == after else {after: 1})
    else:
        assert refuse_change(subscription, status=after) == (400, 800040)


def test_what_a_patch_leaves_out_is_dropped() -> None:
    subscription = existing(friendly_name="Office")
    body = {key: subscription.build_resource()[key] for key in ("status", "quantity", "attributes")}
    changed = patch_vendor_subscription(subscription, body, subscription.etag, NOW)
    assert (changed.friendly_name, changed.auto_renew_enabled) == (None, False)
    assert changed.scheduled_next_term_instructions is None
    assert (changed.offer_name, changed.quantity) == ("Business Premium", 10)


def test_a_suspension_loses_the_renewal_and_reinstating_does_not_bring_it_back() -> None:
    before = existing()
    suspended = change(before, status="suspended")
    assert (suspended.auto_renew_enabled, suspended.scheduled_next_term_instructions) == (False, None)
    assert suspended.lost == before.renewal
    assert not change(suspended, autoRenewEnabled=True).auto_renew_enabled
    active = change(suspended, status="active", autoRenewEnabled=True)
    assert (active.auto_renew_enabled, active.lost) == (False, before.renewal)
    half = change(active, autoRenewEnabled=True)
    assert (half.auto_renew_enabled, half.lost) == (True, before.renewal)
    restored = change(half, scheduledNextTermInstructions=NEXT_TERM)
    assert (restored.renewal, restored.lost) == (before.renewal, None)


def test_a_second_suspension_does_not_forget_what_the_first_one_lost() -> None:
    before = existing()
    again = change(change(change(before, status="suspended"), status="active"), status="suspended")
    assert again.lost == before.renewal


def test_a_legacy_offer_keeps_its_renewal() -> None:
    suspended = change(existing(is_new_commerce=False), status="suspended")
    assert (suspended.auto_renew_enabled, suspended.lost) == (True, None)


@pytest.mark.parametrize(
    ("until", "code"),
    [(NOW, None), (NOW - timedelta(seconds=1), 900117), (None, 900117)],
)
def test_cancelling_ends_with_its_window(until: datetime | None, code: int | None) -> None:
    subscription = existing(cancellation_allowed_until_date=until)
    if code is None:
        assert change(subscription, status="deleted").status == "deleted"
    else:
        assert refuse_change(subscription, status="deleted") == (400, code)


def test_the_quantity_is_fixed_while_suspended() -> None:
    suspended = existing(status="suspended")
    assert refuse_change(suspended, quantity=11) == (400, 2001)
    assert refuse_change(suspended, status="active", quantity=11) == (400, 2001)
    assert change(existing(), quantity=11).quantity == 11


@pytest.mark.parametrize(
    "fields",
    [{"status": "off"}, {"quantity": 0}, {"quantity": "ten"}, {"quantity": None}, {"autoRenewEnabled": None}],
)
def test_a_malformed_change_is_refused(fields: dict[str, Any]) -> None:
    assert refuse_change(existing(), **fields) == (400, 2001)


def test_both_etags_must_be_the_current_one() -> None:
    first = existing()
    second = change(first, quantity=11)
    assert second.etag != first.etag
    fresh, stale = second.build_resource(), first.build_resource()
    for body, if_match in ((stale, second.etag), (fresh, first.etag), (fresh, None), ({}, second.etag), ([], "x")):
        with pytest.raises(VendorRefusal) as refusal:
            patch_vendor_subscription(second, body, if_match, NOW)
        assert (refusal.value.status, refusal.value.code) == (400, 2055)
    assert patch_vendor_subscription(second, fresh, f'"{second.etag}"', NOW).quantity == 11
