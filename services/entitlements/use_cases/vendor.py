"""The vendor shall have what is wanted: before it is called, and after it answered."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.entitlements import repository
from services.entitlements.domain import entitlement as rules
from services.entitlements.domain import sight
from services.entitlements.domain.entitlement import Entitlement, State
from services.entitlements.domain.hold import standing
from services.entitlements.domain.outcome import Outcome, Refused, RenewalOff, Seen, Waiting
from services.entitlements.domain.renewal import settings_of
from shared.events import Event
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, Recorded

SYNC = "sync_vendor"
"""The one kind of intent: its key is the subscription, so that one operation at a time is in work for it."""


async def want_sync(unit: Unit, entitlement: Entitlement) -> None:
    """Want the vendor to get the state that is wanted when the worker looks, and not only after a pause."""
    await intents.add(unit, SYNC, entitlement.account_id, entitlement.subscription_id, {})
    await intents.hasten(unit, SYNC, entitlement.subscription_id)


async def begin_suspending(unit: Unit, decided: Entitlement, resource: Mapping[str, Any]) -> bool:
    """Commit the snapshot before the vendor is called; False if other holds stand now than it was decided from."""
    await unit.lock(decided.account_id)
    entitlement = await repository.entitlement(unit, decided.subscription_id)
    begun = rules.suspending(entitlement, standing(decided.holds), settings_of(resource), unit.now)
    if begun is None:
        return False
    await repository.save_entitlement(unit, begun)
    return True


async def record(unit: Unit, intent: Intent, outcome: Outcome) -> Recorded:
    """Keep what came of an attempt, and announce it; the account is locked."""
    entitlement = await repository.entitlement(unit, UUID(intent.key))
    is_changed = standing(entitlement.holds) != outcome.standing
    if is_changed and not isinstance(outcome, Seen):
        return Recorded.AGAIN
    after, events = _decided(unit, entitlement, outcome)
    await repository.save_entitlement(unit, after)
    for event in events:
        unit.publish(event)
    return _what_next(after, outcome, is_changed)


def _decided(unit: Unit, entitlement: Entitlement, outcome: Outcome) -> tuple[Entitlement, list[Event]]:
    match outcome:
        case Waiting(why=why):
            return replace(entitlement, waiting_for=why), []
        case Refused():
            return sight.refused(entitlement, outcome, unit.now)
        case RenewalOff():
            return rules.with_renewal_off(entitlement, unit.now), []
        case Seen() if entitlement.state is State.ENDED:  # access ended while the vendor was called
            return entitlement, []
        case Seen(status="suspended"):
            return sight.suspended(entitlement, unit.now)
        case Seen(status="active", missing=missing):
            return sight.active(entitlement, missing, unit.now)
        case Seen():
            return sight.unasked(entitlement), []


def _what_next(entitlement: Entitlement, outcome: Outcome, is_changed: bool) -> Recorded:
    match outcome:
        case RenewalOff():
            return Recorded.AGAIN  # what the holds want comes next
        case Seen() if entitlement.awaits_renewal_off:  # the end became known while the vendor was called
            return Recorded.AGAIN
        case Seen(status=None) if entitlement.state is State.ENDED:
            return Recorded.DONE
        case Seen() if entitlement.state is State.ENDED:
            return Recorded.AGAIN
        case Waiting():
            return Recorded.LATER
        case Refused():
            return Recorded.DONE
        case Seen(is_declined=True):
            return Recorded.AGAIN if is_changed else Recorded.DONE
        case Seen(status=status):
            has = status or "active"  # the vendor is not asked only where it is active and shall be
            return Recorded.DONE if has == entitlement.wanted else Recorded.AGAIN
