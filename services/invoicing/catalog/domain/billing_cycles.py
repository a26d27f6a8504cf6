"""Billing cycles and terms: where they begin, by the vendor's rules for anchors.

Both rules are the partner programme's: the day of a monthly term is clipped to the month's length and does not
drift (01-31 → 02-28 → 03-31); a term of a year or more that is billed monthly and was bought on one of the last
two days of a month counts from the month's end (01-30 → 02-27 → 03-30 → 04-29). All ends are exclusive.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

MONTH, YEAR, THREE_YEARS = 1, 12, 36
"""Lengths in months."""
LAST_DAYS = 2
"""Of a month: bought on one of these, a longer term that is billed monthly counts from the end."""


@dataclass(frozen=True, slots=True)
class CycleAnchor:
    """From where the cycles of a subscription count: the day of one that begins, their length in months."""

    day: date
    months: int
    from_end: bool = False

    def get_billing_cycle_start(self, number: int) -> date:
        """The first day of a cycle; 0 is the one that begins on the anchor's day, earlier ones are negative."""
        return _months_later(self.day, number * self.months, from_end=self.from_end)

    def get_next_cycle_boundary(self, boundary: date) -> date:
        """The boundary one cycle after another one, which need not be one of this anchor's cycles itself.

        Statements have it as `cycle_after`, a function of the database.
        """
        months = (boundary.year - self.day.year) * 12 + boundary.month - self.day.month + self.months
        return _months_later(self.day, months, from_end=self.from_end)

    def get_billing_cycle_number(self, day: date) -> int:
        """The cycle in which a day lies."""
        guess = ((day.year - self.day.year) * 12 + day.month - self.day.month) // self.months
        return guess if self.get_billing_cycle_start(guess) <= day else guess - 1

    def get_cycle_bounds(self, day: date) -> tuple[date, date]:
        """The cycle in which a day lies, its end exclusive."""
        number = self.get_billing_cycle_number(day)
        return self.get_billing_cycle_start(number), self.get_billing_cycle_start(number + 1)


def build_cycle_anchor(day: date, *, term: int, period: int) -> CycleAnchor:
    """The anchor of what is bought on a day for a term and billed by periods (months)."""
    counts_from_end = term >= YEAR and period == MONTH and _count_days_left(day) < LAST_DAYS
    return CycleAnchor(day, period, counts_from_end)


def _count_days_left(day: date) -> int:
    """The days of the month behind this one."""
    return monthrange(day.year, day.month)[1] - day.day


def _months_later(day: date, months: int, *, from_end: bool) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = monthrange(year, month + 1)[1]
    return date(year, month + 1, length - _count_days_left(day) if from_end else min(day.day, length))
