"""Access is granted."""

from services.entitlements import repository
from services.entitlements.domain.entitlement import EntitlementState, SubscriptionEntitlement, is_access_allowed
from services.entitlements.use_cases.vendor_results import enqueue_vendor_sync
from shared.events.entitlements import EntitlementGranted
from shared.events.invoicing import SubscriptionActivated
from shared.persistence.database import Unit


async def grant_access(unit: Unit, bought: SubscriptionActivated) -> None:
    """Grant access to what was bought; holds that were heard of earlier stand on it from the start."""
    if await repository.find_entitlement(unit, bought.subscription_id):
        return
    holds = await repository.list_relevant_holds(unit, bought.subscription_id)
    granted = SubscriptionEntitlement(
        subscription_id=bought.subscription_id,
        account_id=bought.account_id,
        vendor_customer_id=bought.vendor_customer_id,
        vendor_subscription_id=bought.vendor_subscription_id,
        bills_while_suspended=bought.bills_while_suspended,
        granted_at=unit.now,
        state=EntitlementState.ACTIVE,
        allowed=is_access_allowed(EntitlementState.ACTIVE, holds),
        since=unit.now,
        holds=holds,
    )
    await repository.save_entitlement(unit, granted)
    unit.publish(EntitlementGranted(account_id=bought.account_id, subscription_id=bought.subscription_id))
    if holds:
        await enqueue_vendor_sync(unit, granted)
