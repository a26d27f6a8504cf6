"""Events that invoicing consumes: outcomes of disputes, changes of access, bounced mails, the policy."""

from services.invoicing.adjustments.use_cases import dispute_reservations
from services.invoicing.documents.use_cases import document_deliveries, document_rendering
from services.invoicing.subscriptions.domain.subscription_history import ChangeKind
from services.invoicing.subscriptions.use_cases import access_changes
from services.invoicing.vendor_costs.repository import contested_amount_queries
from shared.base.kafka import MessageEnvelope
from shared.events.collections import PolicyPublished
from shared.events.entitlements import SubscriptionReinstated, SubscriptionSuspended
from shared.events.escalation import (
    DisputeResolved,
    DisputeWithdrawn,
    MailBounced,
    VendorDisputeOpened,
    VendorDisputeResolved,
)
from shared.messaging.consumer import EventHandlers
from shared.persistence.database import Unit

handlers = EventHandlers()


@handlers.on(DisputeResolved)
async def consume_dispute_resolved(unit: Unit, event: DisputeResolved, _: MessageEnvelope) -> None:
    """Upheld, wholly or partly: release, and credit what is approved, in one transaction. Rejected: release."""
    await dispute_reservations.settle_dispute(unit, event.dispute_id, event.map_approved())


@handlers.on(DisputeWithdrawn)
async def consume_dispute_withdrawn(unit: Unit, event: DisputeWithdrawn, _: MessageEnvelope) -> None:
    """The customer no longer disputes: release."""
    await dispute_reservations.settle_dispute(unit, event.dispute_id, {})


@handlers.on(SubscriptionSuspended)
async def consume_subscription_suspended(unit: Unit, event: SubscriptionSuspended, envelope: MessageEnvelope) -> None:
    """Access has ended at the vendor."""
    await access_changes.charge_access_change(unit, event.subscription_id, ChangeKind.SUSPEND, envelope.time)


@handlers.on(SubscriptionReinstated)
async def consume_subscription_reinstated(unit: Unit, event: SubscriptionReinstated, envelope: MessageEnvelope) -> None:
    """Access is back."""
    await access_changes.charge_access_change(unit, event.subscription_id, ChangeKind.REINSTATE, envelope.time)


@handlers.on(MailBounced)
async def consume_mail_bounced(unit: Unit, event: MailBounced, _: MessageEnvelope) -> None:
    """Record that a mail came back; those that carry no document are not ours."""
    await document_deliveries.record_document_bounce(unit, event)


@handlers.on(PolicyPublished)
async def consume_policy_published(unit: Unit, event: PolicyPublished, _: MessageEnvelope) -> None:
    """Invoices name the version of the policy that applies to them."""
    await document_rendering.record_policy_version(unit, event.policy_version, event.effective_date)


@handlers.on(VendorDisputeOpened)
async def consume_vendor_dispute_opened(unit: Unit, event: VendorDisputeOpened, _: MessageEnvelope) -> None:
    """We contest a part of a vendor invoice; it is owed and due as before."""
    await contested_amount_queries.save_contested_amount(unit, event, ended_at=None)


@handlers.on(VendorDisputeResolved)
async def consume_vendor_dispute_resolved(unit: Unit, event: VendorDisputeResolved, envelope: MessageEnvelope) -> None:
    """It is contested no more, whatever the vendor answered."""
    await contested_amount_queries.save_contested_amount(unit, event, ended_at=envelope.time)
