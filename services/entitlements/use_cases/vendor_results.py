"""The vendor shall have what is wanted: before it is called, and after it answered."""

from dataclasses import replace
from uuid import UUID

from services.entitlements import repository
from services.entitlements.domain import entitlement as domain_entitlement
from services.entitlements.domain import vendor_observation
from services.entitlements.domain.entitlement import EntitlementState, SubscriptionEntitlement
from services.entitlements.domain.hold import list_standing_holds
from services.entitlements.domain.renewal_snapshot import RenewalSnapshot
from services.entitlements.domain.sync_outcome import (
    AutoRenewOff,
    FinalVendorRefusal,
    Outcome,
    VendorObservation,
    VendorSyncWaiting,
)
from services.entitlements.domain.vendor_port import VendorStatus
from shared.events import Event
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome

SYNC = "sync_vendor"
"""The one kind of intent: its key is the subscription, so that one operation at a time is in work for it."""


async def enqueue_vendor_sync(unit: Unit, entitlement: SubscriptionEntitlement) -> None:
    """Want the vendor to get the state that is wanted when the worker looks, and not only after a pause."""
    await intents.enqueue_intent(unit, SYNC, entitlement.account_id, entitlement.subscription_id, {})
    await intents.make_intent_due(unit, SYNC, entitlement.subscription_id)


async def begin_suspending_at_vendor(unit: Unit, decided: SubscriptionEntitlement, renewal: RenewalSnapshot) -> bool:
    """Commit the snapshot before the vendor is called; False if other holds stand now than it was decided from."""
    await unit.lock_subjects(decided.account_id)
    entitlement = await repository.get_entitlement(unit, decided.subscription_id)
    begun = domain_entitlement.begin_vendor_suspension(
        entitlement, list_standing_holds(decided.holds), renewal, unit.now
    )
    if begun is None:
        return False
    await repository.save_entitlement(unit, begun)
    return True


async def record_vendor_outcome(unit: Unit, intent: Intent, outcome: Outcome) -> RecordingOutcome:
    """Keep what came of an attempt, and announce it; the account is locked."""
    entitlement = await repository.get_entitlement(unit, UUID(intent.key))
    is_changed = list_standing_holds(entitlement.holds) != outcome.standing
    if is_changed and not isinstance(outcome, VendorObservation):
        return RecordingOutcome.RETRY_NOW
    after, events = _decide(unit, entitlement, outcome)
    await repository.save_entitlement(unit, after)
    for event in events:
        unit.publish(event)
    return _choose_next(after, outcome, is_changed)


def _decide(
    unit: Unit, entitlement: SubscriptionEntitlement, outcome: Outcome
) -> tuple[SubscriptionEntitlement, list[Event]]:
    match outcome:
        case VendorSyncWaiting(reason=reason):
            return replace(entitlement, waiting_for=reason), []
        case FinalVendorRefusal():
            return vendor_observation.apply_vendor_refusal(entitlement, outcome, unit.now)
        case AutoRenewOff():
            return domain_entitlement.mark_auto_renew_off(entitlement, unit.now), []
        case VendorObservation() if (
            entitlement.state is EntitlementState.ENDED
        ):  # access ended while the vendor was called
            return entitlement, []
        case VendorObservation(status=VendorStatus.SUSPENDED):
            return vendor_observation.apply_suspension_seen(entitlement, unit.now)
        case VendorObservation(status=VendorStatus.ACTIVE, missing=missing):
            return vendor_observation.apply_activity_seen(entitlement, missing, unit.now)
        case VendorObservation():
            return vendor_observation.clear_pending_change(entitlement), []


def _choose_next(entitlement: SubscriptionEntitlement, outcome: Outcome, is_changed: bool) -> RecordingOutcome:
    match outcome:
        case AutoRenewOff():
            return RecordingOutcome.RETRY_NOW  # what the holds want comes next
        case VendorObservation() if (
            entitlement.must_disable_auto_renew
        ):  # the end became known while the vendor was called
            return RecordingOutcome.RETRY_NOW
        case VendorObservation(status=None) if entitlement.state is EntitlementState.ENDED:
            return RecordingOutcome.DONE
        case VendorObservation() if entitlement.state is EntitlementState.ENDED:
            return RecordingOutcome.RETRY_NOW
        case VendorSyncWaiting():
            return RecordingOutcome.RETRY_LATER
        case FinalVendorRefusal():
            return RecordingOutcome.DONE
        case VendorObservation(is_withdrawn=True):
            return RecordingOutcome.RETRY_NOW if is_changed else RecordingOutcome.DONE
        case VendorObservation(status=status):
            has = status or VendorStatus.ACTIVE  # the vendor is not asked only where it is active and shall be
            return RecordingOutcome.DONE if has == entitlement.wanted_access_state else RecordingOutcome.RETRY_NOW
