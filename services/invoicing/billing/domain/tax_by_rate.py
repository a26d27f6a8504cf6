"""Tax of an invoice by rate, and the part of it that each line has, to the minor unit."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

BASIS_POINTS = 10_000
"""Basis points of the whole."""


@dataclass(frozen=True, slots=True)
class RatedAmount:
    """An amount in minor units, and the rate of its tax in basis points; None where there is none."""

    minor: int
    rate_bp: int | None


def spread_tax_by_rate(amounts: Sequence[RatedAmount], compute_tax: Callable[[int, int], int]) -> list[int]:
    """Compute the tax of each line of an invoice, in their order; in minor units.

    The tax of a rate is that of the sum of its lines, as `compute_tax` says for a sum and a rate; a line has what the
    sum's tax grows by with it.
    """
    sums: defaultdict[int, int] = defaultdict(int)
    taxes: list[int] = []
    for amount in amounts:
        rate_bp = amount.rate_bp or 0
        before = sums[rate_bp]
        sums[rate_bp] = before + amount.minor
        taxes.append(compute_tax(sums[rate_bp], rate_bp) - compute_tax(before, rate_bp))
    return taxes
