"""Tax that is included in amounts which are agreed with it: taken out per invoice and rate, to the minor unit."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

BASIS_POINTS = 10_000
"""Basis points of the whole."""


@dataclass(frozen=True, slots=True)
class TaxedGrossAmount:
    """An amount with its tax in minor units, zero or more, and the rate in basis points; None where there is none."""

    minor: int
    rate_bp: int | None


def extract_included_taxes(amounts: Sequence[TaxedGrossAmount]) -> list[int]:
    """Take the tax out of the lines of an invoice, in their order; in minor units.

    The tax of a rate is that in the sum of its lines, half rounded up; a line has what the sum's tax grows by with it,
    as in `compute_added_taxes`, where tax is added to net amounts.
    """
    gross_by_rate: defaultdict[int, int] = defaultdict(int)
    taxes: list[int] = []
    for amount in amounts:
        rate_bp = amount.rate_bp or 0
        before = gross_by_rate[rate_bp]
        gross_by_rate[rate_bp] = before + amount.minor
        taxes.append(_extract_tax(before + amount.minor, rate_bp) - _extract_tax(before, rate_bp))
    return taxes


def _extract_tax(gross: int, rate_bp: int) -> int:
    whole = BASIS_POINTS + rate_bp
    return (2 * gross * rate_bp + whole) // (2 * whole)
