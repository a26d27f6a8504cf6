"""The rules of the Partner Center adapter, and what of its settings is stored."""

from typing import Any

import pytest

from services.entitlements.adapters.partner_center_errors import VendorRefusalKind, classify_vendor_refusal
from services.entitlements.adapters.partner_center_fields import (
    build_renewal_fields,
    list_changed_fields,
    read_renewal_snapshot,
    read_subscription_state,
)
from services.entitlements.domain.vendor_port import VendorStatus
from services.entitlements.repository import parse_renewal_snapshot, render_renewal_snapshot

SETTINGS = {"autoRenewEnabled": True, "scheduledNextTermInstructions": {"quantity": 7}}
LOST = {"autoRenewEnabled": False, "scheduledNextTermInstructions": None}


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        ("active", VendorStatus.ACTIVE),
        ("suspended", VendorStatus.SUSPENDED),
        ("deleted", VendorStatus.GONE),
        ("expired", VendorStatus.GONE),
        ("pending", VendorStatus.OTHER),
        ("disabled", VendorStatus.OTHER),
    ],
)
def test_each_status_is_ours_or_another(shown: str, status: VendorStatus) -> None:
    resource = {"status": shown, "attributes": {"etag": "17"}}
    state = read_subscription_state(resource)
    assert (state.status, state.resource) == (status, resource)


@pytest.mark.parametrize("stored", [SETTINGS, LOST, SETTINGS | {"scheduledNextTermInstructions": None}])
def test_rows_written_by_earlier_releases_are_read_and_written_as_they_are(stored: dict[str, Any]) -> None:
    snapshot = parse_renewal_snapshot(stored)
    assert render_renewal_snapshot(snapshot) == stored
    assert build_renewal_fields(snapshot) == stored
    assert snapshot == read_renewal_snapshot(stored)


def test_auto_renew_that_is_to_stay_off_is_stored_so() -> None:
    stored = render_renewal_snapshot(parse_renewal_snapshot(SETTINGS).disable_auto_renew())
    assert stored == SETTINGS | {"autoRenewEnabled": False}


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
    assert list_changed_fields(read_renewal_snapshot(before), read_renewal_snapshot(after)) == lost


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (409, "800082", VendorRefusalKind.PASSES),
        (409, "27009", VendorRefusalKind.PASSES),
        (409, "900278", VendorRefusalKind.PASSES),
        (409, "", VendorRefusalKind.PASSES),
        (429, "", VendorRefusalKind.PASSES),
        (503, "", VendorRefusalKind.PASSES),
        (400, "2055", VendorRefusalKind.STALE),
        (412, "", VendorRefusalKind.STALE),
        (400, "2011", VendorRefusalKind.FINAL),
        (409, "800040", VendorRefusalKind.FINAL),
        (404, "20003", VendorRefusalKind.FINAL),
        (404, "", VendorRefusalKind.FINAL),
        (400, "4711", VendorRefusalKind.FINAL),
    ],
)
def test_what_a_refusal_means(status: int, code: str, meaning: VendorRefusalKind) -> None:
    assert classify_vendor_refusal(status, code) is meaning
