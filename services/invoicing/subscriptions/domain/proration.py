"""Proration: the price of a period within a cycle, and the difference to what was charged before.

The partner programme's formula: price × days / days of the cycle × quantity, truncated to the minor unit.
A change is the reversal of the old period and a charge of the new one, with a common reference.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby, pairwise


@dataclass(frozen=True, slots=True)
class SubscriptionUnitRate:
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
    rate: SubscriptionUnitRate

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
    def cycle_day_count(self) -> int:
        """By which a price is divided."""
        return (self.end - self.begin).days

    def compute_prorated_amount(self, period: ChargePeriod) -> int:
        """Price of a period: price × days / days of the cycle × quantity, truncated towards zero."""
        exact = period.rate.price * (period.end - period.begin).days * abs(period.quantity)
        return -(exact // self.cycle_day_count) if period.is_reversal else exact // self.cycle_day_count


def compute_prorated_charge_differences(
    charged: Sequence[ChargePeriod], wanted: Sequence[ChargePeriod]
) -> list[ChargePeriod]:
    """The periods that turn what was charged of a cycle into what is wanted: reversals first, then charges.

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


def _edges(periods: Iterable[ChargePeriod]) -> list[date]:
    return sorted({edge for period in periods for edge in (period.begin, period.end)})


def _on(periods: Iterable[ChargePeriod], day: date) -> dict[SubscriptionUnitRate, int]:
    """List what stands on a day, by rate: reversals have taken away what they reverse."""
    quantity_by_rate: dict[SubscriptionUnitRate, int] = {}
    for period in periods:
        if period.begin <= day < period.end:
            quantity_by_rate[period.rate] = quantity_by_rate.get(period.rate, 0) + period.quantity
    return {rate: quantity for rate, quantity in quantity_by_rate.items() if quantity}


def _join_neighbours(periods: Iterable[ChargePeriod]) -> Iterator[ChargePeriod]:
    """Neighbours of one quantity and rate become one period."""
    ordered = sorted(periods, key=lambda period: (period.quantity, period.rate.price, period.rate.plan, period.begin))
    for _, alike in groupby(ordered, key=lambda period: (period.quantity, period.rate)):
        whole: ChargePeriod | None = None
        for period in alike:
            if whole is not None and whole.end == period.begin:
                whole = replace(whole, end=period.end)
                continue
            if whole is not None:
                yield whole
            whole = period
        if whole is not None:
            yield whole
