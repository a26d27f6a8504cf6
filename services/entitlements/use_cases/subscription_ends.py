"""Ends of subscriptions end access: at 00:00 of the first day without charge, in the account's time zone."""

from datetime import time
from uuid import UUID
from zoneinfo import ZoneInfo

from services.entitlements import repository
from services.entitlements.domain.entitlement import (
    SubscriptionEntitlement,
    end_entitlement,
    has_reached_its_end,
    plan_subscription_end,
)
from services.entitlements.use_cases.vendor_results import enqueue_vendor_sync
from shared.events.entitlements import EntitlementEnded
from shared.events.invoicing import AccountRegistered, SubscriptionEnded
from shared.persistence.database import Unit
from shared.pure.calendar import find_local_instant


async def save_account_zone(unit: Unit, account: AccountRegistered) -> None:
    """Keep the time zone of an account, and move the ends that are still to come along with it."""
    await repository.save_account_time_zone(unit, account.account_id, account.time_zone)
    for entitlement in await repository.list_entitlements_to_end(unit, [account.account_id]):
        assert entitlement.ended_on is not None
        assert entitlement.term_end is not None
        ends_at = find_local_instant(entitlement.ended_on, time(), ZoneInfo(account.time_zone))
        await repository.save_entitlement(
            unit, plan_subscription_end(entitlement, entitlement.ended_on, entitlement.term_end, ends_at)
        )


async def plan_entitlement_end(unit: Unit, event: SubscriptionEnded) -> None:
    """Note the end of a subscription; end access if it has come, and have auto-renew switched off. Raises NotFound."""
    entitlement = await repository.get_entitlement(unit, event.subscription_id)
    zone = ZoneInfo(await repository.get_account_time_zone(unit, event.account_id))
    ends_at = find_local_instant(event.ended_on, time(), zone)
    ending = plan_subscription_end(entitlement, event.ended_on, event.term_end, ends_at)
    await repository.save_entitlement(unit, ending)
    if has_reached_its_end(ending, unit.now):
        await _end_access(unit, ending)
    elif not unit.is_past:
        await enqueue_vendor_sync(unit, ending)


async def end_due_entitlements(unit: Unit, account_ids: list[str]) -> None:
    """End access to what has ended by now; the accounts are locked."""
    for entitlement in await repository.list_entitlements_to_end(
        unit, [UUID(account_id) for account_id in account_ids]
    ):
        if has_reached_its_end(entitlement, unit.now):
            await _end_access(unit, entitlement)


async def _end_access(unit: Unit, entitlement: SubscriptionEntitlement) -> None:
    assert entitlement.ended_on is not None
    assert entitlement.term_end is not None
    ended = end_entitlement(entitlement, unit.now)
    await repository.save_entitlement(unit, ended)
    unit.publish(
        EntitlementEnded(
            account_id=ended.account_id,
            subscription_id=ended.subscription_id,
            ended_on=entitlement.ended_on,
            term_end=entitlement.term_end,
        )
    )
    if not unit.is_past:
        await enqueue_vendor_sync(unit, ended)
