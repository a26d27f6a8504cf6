"""The port to the vendor: one subscription there, read and changed in our terms."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from services.entitlements.domain.renewal_snapshot import RenewalSnapshot


class VendorStatus(StrEnum):
    """Where the vendor has a subscription."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    GONE = "gone"
    """It has ended or was cancelled there: nothing is renewed, and it does not come back."""
    OTHER = "other"
    """A status of the vendor's for which we have no rule, such as one in which it is being made ready."""


@dataclass(frozen=True, slots=True)
class VendorSubscriptionState:
    """A subscription as the vendor showed it."""

    status: VendorStatus
    renewal: RenewalSnapshot
    resource: Any = field(repr=False, compare=False)
    """The vendor's own form of it, by which a change notices that somebody else was faster: for the adapter alone."""


class VendorRefusedForGood(Exception):
    """The vendor refuses however often it is asked, with its own code."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class VendorPort(Protocol):
    """One subscription at the vendor, for one intent. Every call raises VendorRefusedForGood, RetryLater.

    A change starts from the state that was read last and returns the state after it. It keeps what somebody else
    has changed since, it is done when it returns, and the same change of the same intent has one effect, though its
    answer was lost or another process repeats it.
    """

    async def fetch_subscription(self) -> VendorSubscriptionState:
        """Read the subscription as it is now."""
        ...

    async def suspend_subscription(self, state: VendorSubscriptionState) -> VendorSubscriptionState:
        """Close access to the subscription."""
        ...

    async def activate_subscription(self, state: VendorSubscriptionState) -> VendorSubscriptionState:
        """Give access back; whether the renewal settings come back with it is the vendor's affair."""
        ...

    async def switch_auto_renew_off(self, state: VendorSubscriptionState) -> VendorSubscriptionState:
        """Have the subscription end with its term; the other renewal settings stay."""
        ...

    async def restore_renewal(
        self, state: VendorSubscriptionState, snapshot: RenewalSnapshot
    ) -> VendorSubscriptionState:
        """Put the renewal settings back as they were."""
        ...

    def list_unrestored_settings(self, snapshot: RenewalSnapshot, state: VendorSubscriptionState) -> tuple[str, ...]:
        """List the settings that are not as they were, by the vendor's names, for the person who looks after them."""
        ...
