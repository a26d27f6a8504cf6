"""Renewal settings: a suspension may lose them at the vendor, so they are kept before it and put back after it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class RenewalSnapshot:
    """The renewal settings of a subscription at one moment; stored in the row of its entitlement."""

    is_auto_renew_on: bool
    vendor_settings: Mapping[str, Any]
    """Everything else that is put back, as JSON: only the adapter that made it reads it."""

    def disable_auto_renew(self) -> "RenewalSnapshot":
        """Copy the settings with auto-renew off: what has an end is not renewed, also after a suspension."""
        return replace(self, is_auto_renew_on=False)
