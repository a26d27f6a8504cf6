"""Events of entitlements: access to subscriptions, the holds on it, and the vendor's side of it."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.base import AccountEvent

ManualHoldReason = Literal["fraud", "customer_request", "admin"]
"""Reasons for which a person places a hold."""
HoldReason = Literal["non_payment", ManualHoldReason]
WantedAtVendor = Literal["active", "suspended", "auto_renew_off"]


class EntitlementsEvent(AccountEvent, abstract=True):
    """An event of entitlements about one subscription; the subject is the account."""

    producer: ClassVar[str] = "entitlements"
    subscription_id: UUID


class EntitlementGranted(EntitlementsEvent):
    """A subscription may be used from now on."""


class EntitlementEnded(EntitlementsEvent):
    """Access is over for good, since the subscription has ended; what a reader keeps of it can be forgotten.

    `ended_on` is the first day without access and charge. Before `term_end` the vendor bills on until it is cancelled
    there.
    """

    ended_on: date
    term_end: date


class HoldPlaced(EntitlementsEvent):
    """A hold stands on the subscription; `suspension_id` and `invoice_ids` name what caused it."""

    hold_id: UUID
    hold_reason: HoldReason
    suspension_id: UUID | None
    invoice_ids: tuple[UUID, ...]


class HoldReleased(EntitlementsEvent):
    """A hold is gone; others may still stand."""

    hold_id: UUID
    hold_reason: HoldReason
    suspension_id: UUID | None


class SubscriptionSuspended(EntitlementsEvent):
    """The subscription is suspended at the vendor; `vendor_bills_on` says whether we go on owing for it."""

    suspension_id: UUID | None
    hold_reasons: tuple[HoldReason, ...]
    vendor_bills_on: bool


class SubscriptionReinstated(EntitlementsEvent):
    """The subscription is active at the vendor again; `renewal_restored` says whether its renewal settings are."""

    suspension_id: UUID | None
    renewal_restored: bool


class SuspensionRefusedByVendor(EntitlementsEvent):
    """The suspension cannot be had; `vendor_code` is the vendor's own code, or `subscription_ended` of ours."""

    suspension_id: UUID | None
    vendor_code: str


class RenewalSettingsNotRestored(EntitlementsEvent):
    """After reinstating, auto-renew or scheduled changes are not what they were before; a person must look."""

    suspension_id: UUID | None
    missing_settings: tuple[str, ...]


class VendorSyncFailed(EntitlementsEvent):
    """The vendor refuses for good what this subscription's access, or its renewal after its end, should be."""

    wanted_state: WantedAtVendor
    vendor_code: str
