"""Outcomes of one attempt to give the vendor the wanted state."""

from dataclasses import dataclass
from uuid import UUID

from services.entitlements.domain.vendor_port import VendorStatus
from shared.events.entitlements import WantedAtVendor


@dataclass(frozen=True, slots=True)
class VendorObservation:
    """The vendor has this status now. `status` is None if there was nothing to ask the vendor for."""

    standing: frozenset[UUID]
    """The holds that stood when it was decided what to do."""
    status: VendorStatus | None = None
    missing: tuple[str, ...] = ()
    """Renewal settings that could not be put back."""
    is_withdrawn: bool = False
    """Collections says that the suspension is withdrawn, so access was left as it is."""


@dataclass(frozen=True, slots=True)
class FinalVendorRefusal:
    """The vendor refuses for good, with its own code."""

    standing: frozenset[UUID]
    code: str
    detail: str
    wanted: WantedAtVendor
    """The state or setting that the vendor was asked for."""


@dataclass(frozen=True, slots=True)
class VendorSyncWaiting:
    """It cannot be done now; `reason` says what it waits for."""

    standing: frozenset[UUID]
    reason: str


@dataclass(frozen=True, slots=True)
class AutoRenewOff:
    """Auto-renew is off at the vendor, since the subscription ends."""

    standing: frozenset[UUID]


Outcome = VendorObservation | FinalVendorRefusal | VendorSyncWaiting | AutoRenewOff
