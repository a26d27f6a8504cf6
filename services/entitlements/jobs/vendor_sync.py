"""One attempt to give the vendor the state that is wanted now: look first, ask collections, then act."""

import asyncio
from uuid import UUID

from services.entitlements import repository
from services.entitlements.adapters import open_collections_confirmations, open_vendor_subscription
from services.entitlements.domain.entitlement import SUBSCRIPTION_ENDED, EntitlementState, SubscriptionEntitlement
from services.entitlements.domain.hold import list_standing_holds, list_suspension_ids
from services.entitlements.domain.renewal_snapshot import RenewalSnapshot
from services.entitlements.domain.sync_outcome import (
    AutoRenewOff,
    FinalVendorRefusal,
    Outcome,
    VendorObservation,
    VendorSyncWaiting,
)
from services.entitlements.domain.vendor_port import VendorRefusedForGood, VendorStatus, VendorSubscriptionState
from services.entitlements.use_cases.vendor_results import begin_suspending_at_vendor
from shared.contracts.suspension_confirmations import SuspensionConfirmation
from shared.process.intents import LEASE, Intent
from shared.process.runtime import Runtime
from shared.pure.errors import RetryLater
from shared.web.clients import RefusedByService

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
        self._vendor = open_vendor_subscription(runtime, entitlement, intent.id)

    async def make(self) -> Outcome:
        entitlement = self._entitlement
        if entitlement.must_disable_auto_renew:
            return await self._switch_renewal_off()
        if entitlement.state is EntitlementState.ENDED:
            return self._answer_ended()
        if entitlement.wanted_access_state == "active" and entitlement.state is EntitlementState.ACTIVE:
            return VendorObservation(self._standing)
        seen = await self._vendor.fetch_subscription()
        if seen.status is VendorStatus.SUSPENDED and (
            entitlement.wanted_access_state == "suspended" or entitlement.state is EntitlementState.SUSPENDING
        ):
            # An earlier call took effect and was not recorded: it is told first, also if it is not wanted any more.
            return VendorObservation(self._standing, VendorStatus.SUSPENDED)
        if entitlement.wanted_access_state == "suspended":
            return await self._suspend(seen)
        return await self._reinstate(seen)

    async def _switch_renewal_off(self) -> Outcome:
        """Switch auto-renew off; the seats stay as they are until a person cancels them."""
        seen = await self._vendor.fetch_subscription()
        if seen.status is VendorStatus.GONE:
            return AutoRenewOff(self._standing)
        if seen.renewal.is_auto_renew_on:
            seen = await self._vendor.switch_auto_renew_off(seen)
        if seen.renewal.is_auto_renew_on:
            raise RetryLater("the vendor still shows auto-renew on")
        return AutoRenewOff(self._standing)

    def _answer_ended(self) -> Outcome:
        """Say of a suspension that is wanted of what has ended that there is nothing to suspend."""
        if any(hold.stands and not hold.effective_at for hold in self._entitlement.holds):
            return FinalVendorRefusal(self._standing, SUBSCRIPTION_ENDED, "the subscription has ended", "suspended")
        return VendorObservation(self._standing)

    async def _suspend(self, seen: VendorSubscriptionState) -> Outcome:
        if not await self._is_confirmed():
            return VendorObservation(self._standing, seen.status, is_withdrawn=True)
        if not await self._runtime.units.run(
            lambda unit: begin_suspending_at_vendor(unit, self._entitlement, seen.renewal)
        ):
            return VendorSyncWaiting(self._standing, "a fresh look, since the holds changed")
        await self._vendor.suspend_subscription(seen)
        return VendorObservation(self._standing, VendorStatus.SUSPENDED)

    async def _is_confirmed(self) -> bool:
        """Whether access may be switched off now: for non-payment alone, collections has the last word.

        Raises RetryLater without an answer: to be late is fine, to cut off a paying customer is not.
        """
        holds = [hold for hold in self._entitlement.holds if hold.stands]
        if any(hold.reason != "non_payment" for hold in holds):
            return True
        waits = None
        for suspension_id in list_suspension_ids(holds):
            confirmation = await self._ask_collections(suspension_id)
            if confirmation.verdict == "stands":
                return True
            if confirmation.verdict != "withdrawn":
                waits = confirmation.detail
        if waits is not None:
            raise RetryLater(f"collections: {waits}")
        return False

    async def _ask_collections(self, suspension_id: UUID) -> SuspensionConfirmation:
        try:
            return await open_collections_confirmations(self._runtime).fetch_suspension_confirmation(suspension_id)
        except RefusedByService as refusal:
            raise RetryLater(f"collections does not confirm the suspension: {refusal}") from refusal

    async def _reinstate(self, seen: VendorSubscriptionState) -> Outcome:
        if seen.status is not VendorStatus.ACTIVE:
            seen = await self._vendor.activate_subscription(seen)
        snapshot = self._entitlement.renewal_settings_to_restore
        if snapshot is None or not self._vendor.list_unrestored_settings(snapshot, seen):
            return VendorObservation(self._standing, VendorStatus.ACTIVE)
        return VendorObservation(self._standing, VendorStatus.ACTIVE, await self._restore(seen, snapshot))

    async def _restore(self, seen: VendorSubscriptionState, snapshot: RenewalSnapshot) -> tuple[str, ...]:
        """Put the renewal settings back, and read what became of them; those that are not as they were."""
        try:
            await self._vendor.restore_renewal(seen, snapshot)
            seen = await self._vendor.fetch_subscription()
        except VendorRefusedForGood:
            pass
        return self._vendor.list_unrestored_settings(snapshot, seen)
