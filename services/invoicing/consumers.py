"""What invoicing hears: the outcome of disputes moves the money."""

from services.invoicing import use_cases
from shared.consumer import Handlers
from shared.database import Unit
from shared.events.escalation import DisputeResolved, DisputeWithdrawn
from shared.kafka import Envelope

handlers = Handlers()


@handlers.on(DisputeResolved)
async def dispute_resolved(unit: Unit, event: DisputeResolved, _: Envelope) -> None:
    """Upheld: release and credit in one transaction. Rejected: release."""
    await use_cases.disputes.settle(unit, event.dispute_id, upheld=event.outcome == "upheld")


@handlers.on(DisputeWithdrawn)
async def dispute_withdrawn(unit: Unit, event: DisputeWithdrawn, _: Envelope) -> None:
    """The customer no longer disputes: release."""
    await use_cases.disputes.settle(unit, event.dispute_id, upheld=False)
