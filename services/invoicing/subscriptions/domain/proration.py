"""Proration: the price of a period within a cycle, and the difference to what was charged before.

The partner programme's formula: price × days / days of the cycle × quantity, truncated to the minor unit.
A change is the reversal of the old stretch and a charge of the new one, with a common reference.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby, pairwise


@dataclass(frozen=True, slots=True)
class UnitRate:
    """Price of one unit in one cycle, in minor units, by which version of which plan (its id and number)."""

    price: int
    plan: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class ChargePeriod:
    """A quantity at a rate over days of one cycle; ends are exclusive. A reversal's quantity is negative."""

    begin: date
    end: date
    quantity: int
    rate: UnitRate

    @property
    def is_reversal(self) -> bool:
        """Whether it takes back what was charged before."""
        return self.quantity < 0


@dataclass(frozen=True, slots=True)
class BillingCycle:
    """One billing cycle, its end exclusive."""

    begin: date
    end: date

    @property
    def days(self) -> int:
        """By which a price is divided."""
        return (self.end - self.begin).days

    def amount(self, stretch: ChargePeriod) -> int:
        """Price of a period: price × days / days of the cycle × quantity, truncated towards zero."""
        exact = stretch.rate.price * (stretch.end - stretch.begin).days * abs(stretch.quantity)
        return -(exact // self.days) if stretch.is_reversal else exact // self.days


def compute_differences(charged: Sequence[ChargePeriod], wanted: Sequence[ChargePeriod]) -> list[ChargePeriod]:
    """The stretches that turn what was charged of a cycle into what is wanted: reversals first, then charges.

    Whatever is charged and wanted alike, day by day, stays as it is.
    """
    reversals: list[ChargePeriod] = []
    charges: list[ChargePeriod] = []
    for begin, end in pairwise(_edges([*charged, *wanted])):
        before, after = _on(charged, begin), _on(wanted, begin)
        if before == after:
            continue
        reversals += [ChargePeriod(begin, end, -quantity, rate) for rate, quantity in before.items()]
        charges += [ChargePeriod(begin, end, quantity, rate) for rate, quantity in after.items()]
    return [*_join_neighbours(reversals), *_join_neighbours(charges)]


def _edges(stretches: Iterable[ChargePeriod]) -> list[date]:
    return sorted({edge for stretch in stretches for edge in (stretch.begin, stretch.end)})


def _on(stretches: Iterable[ChargePeriod], day: date) -> dict[UnitRate, int]:
    """List what stands on a day, by rate: reversals have taken away what they reverse."""
    found: dict[UnitRate, int] = {}
    for stretch in stretches:
        if stretch.begin <= day < stretch.end:
            found[stretch.rate] = found.get(stretch.rate, 0) + stretch.quantity
    return {rate: quantity for rate, quantity in found.items() if quantity}


def _join_neighbours(stretches: Iterable[ChargePeriod]) -> Iterator[ChargePeriod]:
    """Neighbours of one quantity and rate become one stretch."""
    ordered = sorted(stretches, key=lambda one: (one.quantity, one.rate.price, one.rate.plan, one.begin))
    for _, alike in groupby(ordered, key=lambda one: (one.quantity, one.rate)):
        whole: ChargePeriod | None = None
        for one in alike:
            if whole is not None and whole.end == one.begin:
                whole = replace(whole, end=one.end)
                continue
            if whole is not None:
                yield whole
            whole = one
        if whole is not None:
            yield whole
