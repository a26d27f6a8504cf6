"""Events that entitlements consumes: purchases, and the suspensions that collections requests or ends."""

from services.entitlements import use_cases
from services.entitlements.use_cases import subscription_ends
from shared.base.kafka import MessageEnvelope
from shared.events.collections import ReinstatementRequested, SuspensionRequested, SuspensionWithdrawn
from shared.events.invoicing import AccountChanged, AccountRegistered, SubscriptionActivated, SubscriptionEnded
from shared.messaging.consumer import EventHandlers
from shared.persistence.database import Unit

handlers = EventHandlers()


@handlers.on(AccountRegistered)
async def consume_account_registered(unit: Unit, event: AccountRegistered, _: MessageEnvelope) -> None:
    """Keep the time zone in which subscriptions of an account end."""
    await subscription_ends.save_account_zone(unit, event)


@handlers.on(AccountChanged)
async def consume_account_changed(unit: Unit, event: AccountChanged, _: MessageEnvelope) -> None:
    """Keep the time zone as it is now."""
    await subscription_ends.save_account_zone(unit, event)


@handlers.on(SubscriptionActivated)
async def consume_subscription_activated(unit: Unit, event: SubscriptionActivated, _: MessageEnvelope) -> None:
    """Grant access to a subscription that was bought."""
    await use_cases.access.grant_access(unit, event)


@handlers.on(SubscriptionEnded)
async def consume_subscription_ended(unit: Unit, event: SubscriptionEnded, _: MessageEnvelope) -> None:
    """End access on the first day without charge."""
    await subscription_ends.plan_entitlement_end(unit, event)


@handlers.on(SuspensionRequested)
async def consume_suspension_requested(unit: Unit, event: SuspensionRequested, _: MessageEnvelope) -> None:
    """A hold for non-payment stands."""
    await use_cases.suspensions.place_suspension_hold(unit, event)


@handlers.on(SuspensionWithdrawn)
async def consume_suspension_withdrawn(unit: Unit, event: SuspensionWithdrawn, _: MessageEnvelope) -> None:
    """The suspension shall not happen: its hold is released."""
    await use_cases.suspensions.release_suspension_hold(unit, event)


@handlers.on(ReinstatementRequested)
async def consume_reinstatement_requested(unit: Unit, event: ReinstatementRequested, _: MessageEnvelope) -> None:
    """Release the hold of a suspension whose causes are settled."""
    await use_cases.suspensions.release_suspension_hold(unit, event)
