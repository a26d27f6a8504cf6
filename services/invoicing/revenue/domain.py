"""Rules of closing months: what is billed in advance is earned day by day, and a closed month takes no posting.

Pure. Amounts are minor units without tax.
"""

from collections.abc import Collection, Iterable
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


def is_month_closed(day: date, closed_months: Iterable[date]) -> bool:
    """Say whether the month of a day is closed: by itself, or with a later one. `closed_months` are first days.

    Statements do it with `repository.release_queries.IS_LEDGER_MONTH_CLOSED` and, for a list,
    `ledger_period_queries.LEDGER_PERIODS`; the trigger `ledger_holds` refuses what is posted in spite of it.
    """
    return any(month >= day.replace(day=1) for month in closed_months)


def find_open_posting_day(day: date, closed_months: Collection[date]) -> date:
    """Find the day on which something of a day is posted: the same, or the first of the first open month after it.

    `FIND_OPEN_POSTING_DAY` of `vendor_posting_queries` does it for many postings.
    """
    if not is_month_closed(day, closed_months):
        return day
    last = max(closed_months)
    return date(last.year + last.month // 12, last.month % 12 + 1, 1)
