"""Clocks of a case: by when the customer is answered, and by when the vendor owes us an answer.

Each clock runs from an instant to a target, by a calendar. What is paused shifts the deadline by as much business time;
the clock of a first answer never pauses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.business_time import (
    ROUND_THE_CLOCK,
    BusinessCalendar,
    add_business_days,
    add_business_time,
    measure_business_time,
)


class ClockKind(StrEnum):
    """The answer that a clock waits for."""

    FIRST = "first"
    """The first answer of a person, never an automatic one."""
    UPDATE = "update"
    """The next word to the customer while the case goes on."""
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True)
class Target:
    """How long an answer may take: business time, or whole business days; or hours round the clock."""

    minutes: int = 0
    business_days: int = 0
    is_round_the_clock: bool = False

    def choose_calendar(self, calendar: BusinessCalendar) -> BusinessCalendar:
        """Choose the calendar by which the target is measured."""
        return ROUND_THE_CLOCK if self.is_round_the_clock else calendar


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which a clock stands, since the customer is waited for; without an end it still does."""

    begin: datetime
    end: datetime | None = None


VENDOR_TARGETS: Mapping[str, Target] = {
    "A": Target(minutes=2 * 60, is_round_the_clock=True),
    "B": Target(minutes=4 * 60, is_round_the_clock=True),
    "C": Target(minutes=8 * 60, is_round_the_clock=True),
}
"""The vendor's first answer to a technical ticket in English, by severity (the programme's figures)."""
VENDOR_BUSINESS_DAY = Target(business_days=1)
"""The vendor's first answer to everything else: within one business day."""


def compute_deadline(
    calendar: BusinessCalendar, target: Target, began_at: datetime, pauses: Sequence[Pause] = ()
) -> datetime | None:
    """Compute when a clock runs out; None while it is paused. Raises NeverOpen.

    A pause that begins when the clock has run out shifts nothing.
    """
    measured_by = target.choose_calendar(calendar)
    start = add_business_time(measured_by, began_at, timedelta(minutes=target.minutes))
    deadline = add_business_days(measured_by, start, target.business_days) if target.business_days else start
    for pause in sorted(pauses, key=lambda pause: pause.begin):
        if pause.begin >= deadline:
            continue
        if pause.end is None:
            return None
        paused = measure_business_time(measured_by, pause.begin, pause.end)
        deadline = add_business_time(measured_by, deadline, paused) if paused else deadline
    return deadline


def compute_remaining(calendar: BusinessCalendar, target: Target, deadline: datetime, now: datetime) -> timedelta:
    """Compute the business time that is left until a deadline; zero if it has passed."""
    return measure_business_time(target.choose_calendar(calendar), now, deadline)
