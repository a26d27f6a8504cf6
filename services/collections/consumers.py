"""Events that collections consumes: balances of invoices, and suspensions that the vendor has carried out."""

from services.collections import use_cases
from services.collections.use_cases import event_intake
from shared.base.kafka import MessageEnvelope
from shared.events.entitlements import (
    EntitlementEnded,
    SubscriptionReinstated,
    SubscriptionSuspended,
    SuspensionRefusedByVendor,
)
from shared.events.escalation import MailBounced
from shared.events.invoicing import AccountRegistered, InvoiceBalanceChanged, InvoiceIssued, InvoiceOverdue
from shared.messaging.consumer import EventHandlers, GroupedEvents
from shared.persistence.database import Unit

handlers = EventHandlers()


@handlers.declare_group_handler(AccountRegistered, InvoiceIssued, InvoiceBalanceChanged, InvoiceOverdue)
async def consume_balances_changed(unit: Unit, heard: GroupedEvents) -> None:
    """Time zones, in which steps are judged, and balances; what they mean is judged from all facts."""
    await event_intake.apply_balance_events(unit, heard)


@handlers.on(SubscriptionSuspended)
async def consume_subscription_suspended(unit: Unit, event: SubscriptionSuspended, _: MessageEnvelope) -> None:
    """A suspension is effective at the vendor; those for other reasons than non-payment are not ours."""
    if event.suspension_id is not None:
        await event_intake.record_suspension_effective(
            unit, event.account_id, event.suspension_id, event.vendor_bills_on
        )


@handlers.on(SubscriptionReinstated)
async def consume_subscription_reinstated(unit: Unit, event: SubscriptionReinstated, _: MessageEnvelope) -> None:
    """Access is back."""
    if event.suspension_id is not None:
        await event_intake.record_access_reinstated(unit, event.account_id, event.suspension_id)


@handlers.on(SuspensionRefusedByVendor)
async def consume_suspension_refused(unit: Unit, event: SuspensionRefusedByVendor, _: MessageEnvelope) -> None:
    """Note that the vendor will not suspend; refusals for other reasons than non-payment are not ours."""
    if event.suspension_id is not None:
        await event_intake.record_vendor_refusal(unit, event.suspension_id, event.vendor_code)


@handlers.on(EntitlementEnded)
async def consume_entitlement_ended(unit: Unit, event: EntitlementEnded, _: MessageEnvelope) -> None:
    """End the suspensions of a subscription that is gone."""
    await event_intake.end_subscription_suspensions(unit, event.account_id, event.subscription_id)


@handlers.on(MailBounced)
async def consume_mail_bounced(unit: Unit, event: MailBounced, _: MessageEnvelope) -> None:
    """Record that a mail came back; those that are no notices are not ours."""
    await use_cases.bounces.record_notice_bounce(unit, event)
