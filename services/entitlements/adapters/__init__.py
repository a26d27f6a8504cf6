"""Adapters to the outside. This is the one place that chooses them; nothing else knows one by its class."""

from uuid import UUID

from services.entitlements.adapters.collections import CollectionsConfirmations
from services.entitlements.adapters.partner_center import PartnerCenterSubscription
from services.entitlements.domain.entitlement import SubscriptionEntitlement
from services.entitlements.domain.vendor_port import VendorPort
from shared.process.runtime import Runtime


def open_vendor_subscription(runtime: Runtime, entitlement: SubscriptionEntitlement, intent_id: UUID) -> VendorPort:
    """Open the subscription of an entitlement at its vendor, for one intent."""
    return PartnerCenterSubscription(
        runtime.vendor, entitlement.vendor_customer_id, entitlement.vendor_subscription_id, intent_id
    )


def open_collections_confirmations(runtime: Runtime) -> CollectionsConfirmations:
    """Open what collections says of suspensions."""
    return CollectionsConfirmations(runtime.clients["collections"])
