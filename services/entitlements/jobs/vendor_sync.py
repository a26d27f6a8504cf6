"""One attempt to give the vendor the state that is wanted now: look first, ask collections, then act."""

import asyncio
from typing import Any
from uuid import UUID

from services.entitlements import repository
from services.entitlements.adapters.partner_center import VendorRefusedForGood, VendorSubscription
from services.entitlements.domain import renewal_settings
from services.entitlements.domain.entitlement import SUBSCRIPTION_ENDED, EntitlementState, SubscriptionEntitlement
from services.entitlements.domain.hold import list_standing_holds, list_suspension_ids
from services.entitlements.domain.sync_outcome import (
    AutoRenewOff,
    FinalVendorRefusal,
    Outcome,
    VendorObservation,
    VendorSyncWaiting,
)
from services.entitlements.use_cases.vendor_results import begin_suspending_at_vendor
from shared.process.intents import LEASE, Intent
from shared.process.runtime import Runtime
from shared.pure.errors import RetryLater
from shared.web.clients import Answered

GONE = ("deleted", "expired")
"""States at the vendor in which nothing is renewed."""
BUDGET = LEASE.total_seconds() * 0.75
"""Seconds for one attempt: it is over before another worker may take the intent."""


async def sync_with_vendor(runtime: Runtime, intent: Intent) -> Outcome:
    """Look, ask and act, and say what came of it; whatever may pass is an outcome as well."""
    entitlement = await runtime.units.run(lambda unit: repository.get_entitlement(unit, UUID(intent.key)))
    decided_from = list_standing_holds(entitlement.holds)
    try:
        async with asyncio.timeout(BUDGET):
            return await _Attempt(runtime, intent, entitlement).make()
    except VendorRefusedForGood as refusal:
        wanted = "auto_renew_off" if entitlement.must_disable_auto_renew else entitlement.wanted_access_state
        return FinalVendorRefusal(decided_from, refusal.code, refusal.detail, wanted)
    except RetryLater as error:
        return VendorSyncWaiting(decided_from, str(error))
    except TimeoutError:
        return VendorSyncWaiting(decided_from, "an answer of the vendor within the time of one attempt")


class _Attempt:
    def __init__(self, runtime: Runtime, intent: Intent, entitlement: SubscriptionEntitlement) -> None:
        self._runtime = runtime
        self._entitlement = entitlement
        self._standing = list_standing_holds(entitlement.holds)
        self._vendor = VendorSubscription(
            runtime.vendor, entitlement.vendor_customer_id, entitlement.vendor_subscription_id, intent.id
        )

    async def make(self) -> Outcome:
        entitlement = self._entitlement
        if entitlement.must_disable_auto_renew:
            return await self._switch_renewal_off()
        if entitlement.state is EntitlementState.ENDED:
            return self._answer_ended()
        if entitlement.wanted_access_state == "active" and entitlement.state is EntitlementState.ACTIVE:
            return VendorObservation(self._standing)
        resource = await self._vendor.fetch_subscription()
        if resource["status"] == "suspended" and (
            entitlement.wanted_access_state == "suspended" or entitlement.state is EntitlementState.SUSPENDING
        ):
            # An earlier call took effect and was not recorded: it is told first, also if it is not wanted any more.
            return VendorObservation(self._standing, "suspended")
        if entitlement.wanted_access_state == "suspended":
            return await self._suspend(resource)
        return await self._reinstate(resource)

    async def _switch_renewal_off(self) -> Outcome:
        """Switch auto-renew off; the seats stay as they are until a person cancels them."""
        resource = await self._vendor.fetch_subscription()
        if resource["status"] in GONE:
            return AutoRenewOff(self._standing)
        if renewal_settings.read_renewal_settings(resource)[renewal_settings.AUTO_RENEW]:
            resource = await self._vendor.change_subscription_fields(resource, **{renewal_settings.AUTO_RENEW: False})
        if renewal_settings.read_renewal_settings(resource)[renewal_settings.AUTO_RENEW]:
            raise RetryLater("the vendor still shows auto-renew on")
        return AutoRenewOff(self._standing)

    def _answer_ended(self) -> Outcome:
        """Say of a suspension that is wanted of what has ended that there is nothing to suspend."""
        if any(hold.stands and not hold.effective_at for hold in self._entitlement.holds):
            return FinalVendorRefusal(self._standing, SUBSCRIPTION_ENDED, "the subscription has ended", "suspended")
        return VendorObservation(self._standing)

    async def _suspend(self, resource: dict[str, Any]) -> Outcome:
        if not await self._is_confirmed():
            return VendorObservation(self._standing, resource["status"], is_withdrawn=True)
        if not await self._runtime.units.run(
            lambda unit: begin_suspending_at_vendor(unit, self._entitlement, resource)
        ):
            return VendorSyncWaiting(self._standing, "a fresh look, since the holds changed")
        await self._vendor.change_subscription_fields(resource, status="suspended")
        return VendorObservation(self._standing, "suspended")

    async def _is_confirmed(self) -> bool:
        """Whether access may be switched off now: for non-payment alone, collections has the last word.

        Raises RetryLater without an answer: to be late is fine, to cut off a paying customer is not.
        """
        holds = [hold for hold in self._entitlement.holds if hold.stands]
        if any(hold.reason != "non_payment" for hold in holds):
            return True
        waits = None
        for suspension_id in list_suspension_ids(holds):
            verdict, detail = await self._verdict(suspension_id)
            if verdict == "stands":
                return True
            if verdict != "withdrawn":
                waits = detail
        if waits is not None:
            raise RetryLater(f"collections: {waits}")
        return False

    async def _verdict(self, suspension_id: UUID) -> tuple[str, str]:
        try:
            answer = await self._runtime.clients["collections"].get(f"/v1/suspensions/{suspension_id}/confirmation")
        except Answered as refusal:
            raise RetryLater(f"collections does not confirm the suspension: {refusal}") from refusal
        return answer["verdict"], answer["detail"]

    async def _reinstate(self, resource: dict[str, Any]) -> Outcome:
        if resource["status"] != "active":
            resource = await self._vendor.change_subscription_fields(resource, status="active")
        snapshot = self._entitlement.renewal_settings_to_restore
        if snapshot is None or not renewal_settings.list_unrestored_settings(snapshot, resource):
            return VendorObservation(self._standing, "active")
        return VendorObservation(self._standing, "active", await self._restore(resource, snapshot))

    async def _restore(self, resource: dict[str, Any], snapshot: dict[str, Any]) -> tuple[str, ...]:
        """Put the renewal settings back, and read what became of them; those that are not as they were."""
        try:
            await self._vendor.change_subscription_fields(resource, **snapshot)
            return renewal_settings.list_unrestored_settings(snapshot, await self._vendor.fetch_subscription())
        except VendorRefusedForGood:
            return renewal_settings.list_unrestored_settings(snapshot, resource)
