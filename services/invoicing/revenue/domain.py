"""The rule by which what is billed in advance is earned: day by day, in minor units without tax."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DeferredCharge:
    """A charge that was billed in advance; `net_minor` is what is billed of it less what was credited unearned."""

    net_minor: int
    period_from: date
    period_to: date
    """Exclusive."""
    released_minor: int


def compute_revenue_release(charge: DeferredCharge, until: date) -> int:
    """Compute what is released of a charge so that what is earned by a day (exclusive) is: its share of days.

    A share is cut to minor units towards 0, and the last day releases the rest. Below 0 if more was released before
    than is earned of what a credit note left; a charge whose amount is released as a whole stays as it is.

    `repository.release_queries.RELEASE_EARNED_REVENUE` does it for all charges of a legal entity.
    """
    if until <= charge.period_from or charge.released_minor == charge.net_minor:
        return 0
    days = (min(charge.period_to, until) - charge.period_from).days
    earned = abs(charge.net_minor) * days // (charge.period_to - charge.period_from).days
    return (earned if charge.net_minor >= 0 else -earned) - charge.released_minor
