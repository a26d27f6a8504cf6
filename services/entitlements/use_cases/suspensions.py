"""Collections asks for suspensions and for their end; each has one hold, which its id names for ever."""

from dataclasses import replace
from uuid import UUID

from services.entitlements import repository
from services.entitlements.domain.hold import Hold
from services.entitlements.use_cases import holds
from shared.events.collections import ReinstatementRequested, SuspensionRequested, SuspensionWithdrawn
from shared.persistence.database import Unit
from shared.pure.ids import new_id

OWNER = "collections"


async def place_suspension_hold(unit: Unit, event: SuspensionRequested) -> None:
    """Place the hold of this suspension, or give it the causes that it has now; a released one stays released."""
    causes = tuple(cause.invoice_id for cause in event.causes)
    existing = await repository.find_suspension_hold(unit, event.suspension_id)
    if existing is None:
        hold = replace(_hold(unit, event.account_id, event), invoice_ids=causes)
        await holds.save_hold_and_sync(unit, hold)
        holds.announce_hold_placed(unit, hold)
    elif existing.stands and existing.invoice_ids != causes:
        hold = replace(existing, invoice_ids=causes)
        await repository.save_hold(unit, hold)
        holds.announce_hold_placed(unit, hold)


async def release_suspension_hold(unit: Unit, event: SuspensionWithdrawn | ReinstatementRequested) -> None:
    """Release the hold of this suspension; one that was never heard of is kept as released, to stay so."""
    existing = await repository.find_suspension_hold(unit, event.suspension_id)
    if existing is None:
        await repository.save_hold(unit, replace(_hold(unit, event.account_id, event), released_at=unit.now))
    elif existing.stands:
        hold = replace(existing, released_at=unit.now)
        await holds.save_hold_and_sync(unit, hold)
        holds.announce_hold_released(unit, hold)


def _hold(
    unit: Unit, account_id: UUID, event: SuspensionRequested | SuspensionWithdrawn | ReinstatementRequested
) -> Hold:
    return Hold(
        id=new_id(),
        account_id=account_id,
        subscription_id=event.subscription_id,
        reason="non_payment",
        owner=OWNER,
        comment=None,
        placed_at=unit.now,
        suspension_id=event.suspension_id,
    )
