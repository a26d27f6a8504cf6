"""Rules of the lines of a billed invoice: the tax that is added to each, and what is to be paid of each.

Bill runs apply them to all invoices of a chunk at once, in `chunk_drafting_statements`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from services.invoicing.billing.domain.tax_by_rate import BASIS_POINTS, RatedAmount, spread_tax_by_rate


@dataclass(frozen=True, slots=True)
class SignedLine:
    """A line with its tax in minor units, below zero where it gives back."""

    subscription_id: UUID
    amount_minor: int


def compute_added_taxes(amounts: Sequence[RatedAmount]) -> list[int]:
    """Compute the tax that is added to each net line of an invoice, in their order; in minor units.

    The tax of a sum is rounded half away from zero. A statement has it as SUM_NETS_BY_RATE and COMPUTE_ADDED_TAX.
    """
    return spread_tax_by_rate(amounts, _compute_tax)


def compute_lowered_tax(tax_minor: int, net_minor: int, lowered_net_minor: int) -> int:
    """Compute the tax of a reversal whose net is lowered: in proportion, rounded half away from zero; in minor units.

    A statement has it as COMPUTE_LOWERED_TAX.
    """
    share = tax_minor * lowered_net_minor
    rounded = (2 * abs(share) + abs(net_minor)) // (2 * abs(net_minor))
    return rounded if share * net_minor > 0 else -rounded


def compute_collectable_minor(lines: Sequence[SignedLine]) -> list[int]:
    """Compute what is to be paid of each line of an invoice, in their order, once reversals are taken off.

    What a subscription gets back lowers its own lines first, then those of the others, each time the earliest first. A
    statement has it as COMPUTE_COLLECTABLE_MINOR.
    """
    payable = [max(0, line.amount_minor) for line in lines]
    places: defaultdict[UUID, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        places[line.subscription_id].append(place)
    excess = 0
    for own in places.values():
        given_back = -sum(min(0, lines[place].amount_minor) for place in own)
        excess += _take_off(payable, own, given_back)
    _take_off(payable, range(len(lines)), excess)
    return payable


def _compute_tax(net: int, rate_bp: int) -> int:
    return int((Decimal(net) * rate_bp / BASIS_POINTS).to_integral_value(ROUND_HALF_UP))


def _take_off(payable: list[int], places: Iterable[int], amount: int) -> int:
    """Lower what is payable at these places, one after the other, by an amount; what of it is left."""
    for place in places:
        taken = min(payable[place], amount)
        payable[place] -= taken
        amount -= taken
    return amount
