"""Renewal settings: a suspension at the vendor loses them, so they are kept and put back.

Suspending a new-commerce subscription switches auto-renew off and drops scheduled changes, and
reinstating does not bring them back (the vendor's documentation of subscription states).
"""

from collections.abc import Mapping
from typing import Any

AUTO_RENEW = "autoRenewEnabled"
NEXT_TERM = "scheduledNextTermInstructions"


def read_renewal_settings(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The renewal settings of a subscription as the vendor shows it; what is left out is off, or nothing."""
    return {AUTO_RENEW: bool(resource.get(AUTO_RENEW)), NEXT_TERM: resource.get(NEXT_TERM) or None}


def disable_auto_renew(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Copy renewal settings with auto-renew off."""
    return {**snapshot, AUTO_RENEW: False}


def list_unrestored_settings(snapshot: Mapping[str, Any], resource: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings that are not as they were when the snapshot was taken."""
    before, after = read_renewal_settings(snapshot), read_renewal_settings(resource)
    return tuple(name for name in before if _drop_nulls(before[name]) != _drop_nulls(after[name]))


def _drop_nulls(value: Any) -> Any:
    """The value without fields that are null: to the vendor they are the same as left out."""
    if isinstance(value, Mapping):
        return {name: _drop_nulls(part) for name, part in value.items() if part is not None}
    return value
