"""Fields of a subscription resource of Partner Center, in our terms.

Suspending a new-commerce subscription switches auto-renew off and drops scheduled changes, and
reinstating does not bring them back (the vendor's documentation of subscription states).
"""

from collections.abc import Mapping
from typing import Any

from services.entitlements.domain.renewal_snapshot import RenewalSnapshot
from services.entitlements.domain.vendor_port import VendorStatus, VendorSubscriptionState

Resource = dict[str, Any]

AUTO_RENEW = "autoRenewEnabled"
NEXT_TERM = "scheduledNextTermInstructions"
STATUSES = {
    "active": VendorStatus.ACTIVE,
    "suspended": VendorStatus.SUSPENDED,
    "deleted": VendorStatus.GONE,
    "expired": VendorStatus.GONE,
}


def read_subscription_state(resource: Resource) -> VendorSubscriptionState:
    """Read a resource."""
    status = STATUSES.get(resource["status"], VendorStatus.OTHER)
    return VendorSubscriptionState(status, read_renewal_snapshot(resource), resource)


def read_renewal_snapshot(resource: Mapping[str, Any]) -> RenewalSnapshot:
    """Read the renewal settings of a resource; what is left out is off, or nothing."""
    return RenewalSnapshot(bool(resource.get(AUTO_RENEW)), {NEXT_TERM: resource.get(NEXT_TERM) or None})


def build_renewal_fields(snapshot: RenewalSnapshot) -> dict[str, Any]:
    """Build the fields that give a resource these renewal settings."""
    return {AUTO_RENEW: snapshot.is_auto_renew_on, **snapshot.vendor_settings}


def list_changed_fields(before: RenewalSnapshot, after: RenewalSnapshot) -> tuple[str, ...]:
    """List the fields in which renewal settings differ, in an order that is always the same."""
    fields, others = build_renewal_fields(before), build_renewal_fields(after)
    names = (AUTO_RENEW, NEXT_TERM)
    return tuple(name for name in names if _drop_nulls(fields.get(name)) != _drop_nulls(others.get(name)))


def _drop_nulls(value: Any) -> Any:
    """The value without fields that are null: to the vendor they are the same as left out."""
    if isinstance(value, Mapping):
        return {name: _drop_nulls(part) for name, part in value.items() if part is not None}
    return value
