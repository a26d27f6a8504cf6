"""A person decides about a difference: dispute it with the vendor, bill the customer, or accept it. Once."""

from uuid import UUID

from services.invoicing.domain.reconciliation.verdict import Decision, DifferenceState, decided
from services.invoicing.repository.vendor import differences as repository
from services.invoicing.tables.vendor import VendorDifferenceRow
from shared.audit import Change
from shared.database import Unit
from shared.events.invoicing import VendorDifferenceDecided


async def decide(unit: Unit, difference_id: UUID, decision: Decision, actor: str, reason: str) -> VendorDifferenceRow:
    """Decide about a difference. Raises NotFound, AlreadyDecided."""
    found = await repository.difference(unit, difference_id)
    await unit.lock(found.vendor_invoice_id)
    row = await repository.difference(unit, difference_id)
    state = decided(DifferenceState(row.state))
    before = row.model_dump()
    row.sqlmodel_update(
        {
            "state": state.value,
            "decision": decision.value,
            "reason": reason,
            "decided_by": actor,
            "decided_at": unit.now,
        }
    )
    await repository.save(unit, row)
    unit.publish(
        VendorDifferenceDecided(
            vendor_invoice_id=row.vendor_invoice_id,
            difference_id=row.id,
            account_id=row.account_id,
            subscription_id=row.subscription_id,
            verdict=row.verdict,
            decision=decision.value,
            difference_minor=row.billed_minor - row.expected_minor,
            currency=row.currency,
        )
    )
    unit.record(Change("vendor_difference", row.id, row.account_id, before, row.model_dump()))
    return row
