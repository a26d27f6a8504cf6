"""What entitlements hears: what was bought, and which suspensions collections wants or ends."""

from services.entitlements import use_cases
from shared.consumer import Handlers
from shared.database import Unit
from shared.events.collections import ReinstatementRequested, SuspensionRequested, SuspensionWithdrawn
from shared.events.invoicing import SubscriptionActivated
from shared.kafka import Envelope

handlers = Handlers()


@handlers.on(SubscriptionActivated)
async def subscription_activated(unit: Unit, event: SubscriptionActivated, _: Envelope) -> None:
    """What was bought may be used."""
    await use_cases.access.grant(unit, event)


@handlers.on(SuspensionRequested)
async def suspension_requested(unit: Unit, event: SuspensionRequested, _: Envelope) -> None:
    """A hold for non-payment stands."""
    await use_cases.suspensions.request(unit, event)


@handlers.on(SuspensionWithdrawn)
async def suspension_withdrawn(unit: Unit, event: SuspensionWithdrawn, _: Envelope) -> None:
    """The suspension shall not happen: its hold is released."""
    await use_cases.suspensions.end(unit, event)


@handlers.on(ReinstatementRequested)
async def reinstatement_requested(unit: Unit, event: ReinstatementRequested, _: Envelope) -> None:
    """What caused the suspension is settled: its hold is released."""
    await use_cases.suspensions.end(unit, event)
