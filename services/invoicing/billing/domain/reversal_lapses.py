"""Reversals that lapse: what a person gave back of a charge before is not given back again. Minor units, pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.invoicing.ledger.domain import CreditNoteLineShare
from services.invoicing.subscriptions.domain.charge_amounts import compute_unbilled_minor
from shared.pure.shares import allocate_in_order


@dataclass(frozen=True, slots=True)
class ReducedInvoiceLine:
    """A line of which something was credited or written off; `forgiven_minor` is what people gave back, with tax."""

    amount_minor: int
    tax_minor: int
    forgiven_minor: int

    @property
    def forgiven_net_minor(self) -> int:
        """Forgiven amount without the tax in it."""
        share = CreditNoteLineShare(self.forgiven_minor, 0, self.amount_minor, self.tax_minor)
        return self.forgiven_minor - share.tax_minor


@dataclass(frozen=True, slots=True)
class SupplyCharge:
    """A charge of a supply, without tax; `reduced_line` if it is billed and its line was reduced."""

    charge_id: UUID
    created_at: datetime
    amount_minor: int
    settled_minor: int
    lapsed_minor: int
    is_pending: bool
    reduced_line: ReducedInvoiceLine | None = None

    @property
    def reversal_rest_minor(self) -> int:
        """Rest of a reversal that is neither settled nor lapsed; not above 0 for other charges."""
        return -compute_unbilled_minor(self.amount_minor, self.settled_minor, self.lapsed_minor)


def compute_reversal_lapses(charges: Sequence[SupplyCharge]) -> dict[UUID, int]:
    """Compute how much of each pending reversal of a supply lapses, without tax.

    All charges of the supply, less what lapsed and was forgiven, must not come to less than 0: by so much the newest
    reversals lapse first. Nothing does if none of its lines was reduced.

    `repository.lapse_queries.COMPUTE_REVERSAL_LAPSES` does it for all supplies that have pending reversals.
    """
    reduced_lines = [charge.reduced_line for charge in charges if charge.reduced_line is not None]
    if not reduced_lines:
        return {}
    charged_minor = sum(charge.amount_minor - charge.lapsed_minor for charge in charges)
    excess = sum(line.forgiven_net_minor for line in reduced_lines) - charged_minor
    pending = [charge for charge in charges if charge.is_pending and charge.reversal_rest_minor > 0]
    pending.sort(key=lambda charge: (charge.created_at, charge.charge_id), reverse=True)
    shares = allocate_in_order(excess, (charge.reversal_rest_minor for charge in pending))
    return {charge.charge_id: share for charge, share in zip(pending, shares, strict=True) if share}
