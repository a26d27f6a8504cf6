"""Holds are placed and released; whatever the reason, this is the one way."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from uuid import UUID

from services.entitlements import repository
from services.entitlements.domain.entitlement import put_hold_on_entitlement
from services.entitlements.domain.hold import Hold, release_hold_by_hand
from services.entitlements.use_cases.vendor_results import enqueue_vendor_sync
from shared.events.entitlements import HoldPlaced, HoldReleased, ManualHoldReason
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.ids import new_id


@dataclass(frozen=True, slots=True)
class NewManualHold:
    """A hold that a person places."""

    subscription_id: UUID
    reason: ManualHoldReason
    owner: str
    comment: str | None


async def place_hold(unit: Unit, new: NewManualHold) -> Hold:
    """Place a hold by hand. Raises NotFound."""
    account_id = await repository.get_account_of_subscription(unit, new.subscription_id)
    await unit.lock_subjects(account_id)
    hold = Hold(
        id=new_id(),
        account_id=account_id,
        subscription_id=new.subscription_id,
        reason=new.reason,
        owner=new.owner,
        comment=new.comment,
        placed_at=unit.now,
    )
    await save_hold_and_sync(unit, hold)
    announce_hold_placed(unit, hold)
    unit.record(AuditedChange("hold", hold.id, account_id))
    return hold


async def release_hold(unit: Unit, hold_id: UUID, roles: Collection[str]) -> Hold:
    """Release a hold by a person with these roles.

    Raises NotFound, HoldEndsThroughCollections, FraudRoleNeeded, HoldAlreadyReleased.
    """
    await unit.lock_subjects(await repository.get_account_of_hold(unit, hold_id))
    placed = await repository.get_hold(unit, hold_id)
    hold = release_hold_by_hand(placed, unit.now, roles)
    await save_hold_and_sync(unit, hold)
    announce_hold_released(unit, hold)
    unit.record(AuditedChange("hold", hold.id, hold.account_id, asdict(placed), asdict(hold)))
    return hold


async def save_hold_and_sync(unit: Unit, hold: Hold) -> None:
    """Store a hold that was placed or released, and want the vendor to have what follows; the account is locked."""
    await repository.save_hold(unit, hold)
    entitlement = await repository.find_entitlement(unit, hold.subscription_id)
    if entitlement is not None:
        changed = put_hold_on_entitlement(entitlement, hold, unit.now)
        await repository.save_entitlement(unit, changed)
        await enqueue_vendor_sync(unit, changed)


def announce_hold_placed(unit: Unit, hold: Hold) -> None:
    """Say that a hold stands, with all that causes it."""
    unit.publish(
        HoldPlaced(
            account_id=hold.account_id,
            subscription_id=hold.subscription_id,
            hold_id=hold.id,
            hold_reason=hold.reason,
            suspension_id=hold.suspension_id,
            invoice_ids=hold.invoice_ids,
        )
    )


def announce_hold_released(unit: Unit, hold: Hold) -> None:
    """Say that a hold is gone."""
    unit.publish(
        HoldReleased(
            account_id=hold.account_id,
            subscription_id=hold.subscription_id,
            hold_id=hold.id,
            hold_reason=hold.reason,
            suspension_id=hold.suspension_id,
        )
    )
