"""A person decides about a difference: dispute it with the vendor, bill the customer, or accept it. Once."""

from dataclasses import dataclass
from uuid import UUID

from services.invoicing.vendor_costs.domain.line_verdicts import Decision, DifferenceState, get_decided_difference_state
from services.invoicing.vendor_costs.repository import difference_queries
from services.invoicing.vendor_costs.tables import VendorDifferenceRow
from services.invoicing.vendor_costs.use_cases import difference_charges, vendor_postings
from shared.events.invoicing import VendorDifferenceDecided
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.money import Money


@dataclass(frozen=True, slots=True)
class DifferenceDecision:
    """A decision of a person; `amount` is what the customer is billed, without tax, if a person says it."""

    decision: Decision
    actor: str
    reason: str
    amount: Money | None = None


class DifferenceAmountRefused(Refusal):
    """An amount is said only where the customer is billed."""

    code = "amount_refused"
    status = 422


async def decide_vendor_difference(unit: Unit, difference_id: UUID, taken: DifferenceDecision) -> VendorDifferenceRow:
    """Decide about a difference, and carry it out; a dispute with the vendor is the task of whoever consumes the event.

    Raises NotFound, VendorDifferenceAlreadyDecided, DifferenceAmountRefused, VendorDifferenceNotBillable,
    NothingToBillCustomer, DifferenceAmountNeeded, CurrencyMismatch.
    """
    if taken.amount is not None and taken.decision is not Decision.BILL_CUSTOMER:
        raise DifferenceAmountRefused(f"amount: nobody is billed by {taken.decision.value}")
    subject = await difference_queries.get_vendor_difference_row(unit, difference_id)
    await unit.lock_subjects(subject.vendor_invoice_id, *([subject.account_id] if subject.account_id else []))
    row = await difference_queries.get_vendor_difference_row(unit, difference_id)
    state = get_decided_difference_state(DifferenceState(row.state))
    before = row.model_dump()
    row.sqlmodel_update(
        {
            "state": state.value,
            "decision": taken.decision.value,
            "reason": taken.reason,
            "decided_by": taken.actor,
            "decided_at": unit.now,
        }
    )
    await difference_queries.save_difference_decision(unit, row)
    if taken.decision is Decision.BILL_CUSTOMER:
        await difference_charges.charge_vendor_difference(unit, row, taken.amount)
    unit.publish(
        VendorDifferenceDecided(
            vendor_invoice_id=row.vendor_invoice_id,
            difference_id=row.id,
            account_id=row.account_id,
            subscription_id=row.subscription_id,
            verdict=row.verdict,
            decision=taken.decision.value,
            difference_minor=row.billed_minor - row.expected_minor,
            currency=row.currency,
        )
    )
    await vendor_postings.post_vendor_difference(unit, row, taken.decision)
    unit.record(AuditedChange("vendor_difference", row.id, row.account_id, before, row.model_dump()))
    return row
