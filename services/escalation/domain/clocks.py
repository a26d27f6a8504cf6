"""Clocks of a case: by when the customer is answered, and by when the vendor owes us an answer.

Each clock runs from an instant to a target, by a calendar. What is paused shifts the deadline by as much business time;
the clock of a first answer never pauses. What a change of severity or calendar does to a clock that still runs is as if
it had been so from its beginning. A deadline that was missed stays missed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.events.escalation import ClockName, ClockOwner
from shared.pure.business_time import (
    ROUND_THE_CLOCK,
    BusinessCalendar,
    add_business_days,
    add_business_time,
    measure_business_time,
    subtract_business_time,
)

DEFAULT_CALENDAR = BusinessCalendar.from_hours(ZoneInfo("UTC"), dict.fromkeys(range(5), ((8 * 60, 18 * 60),)))
"""The hours of a legal entity that has told none: those in which the vendor's support in other languages works."""


@dataclass(frozen=True, slots=True)
class ResponseTarget:
    """How long an answer may take: minutes of business time, or whole business days; or minutes round the clock.

    `warn_minutes` before the deadline (of the same time) somebody is warned.
    """

    minutes: int = 0
    business_days: int = 0
    is_round_the_clock: bool = False
    warn_minutes: int = 60

    def choose_target_calendar(self, calendar: BusinessCalendar) -> BusinessCalendar:
        """Choose the calendar by which the target is measured."""
        return ROUND_THE_CLOCK if self.is_round_the_clock else calendar


DAY = ResponseTarget(business_days=1, warn_minutes=120)
THREE_DAYS = ResponseTarget(business_days=3, warn_minutes=120)
_OF_WORDS: Mapping[ClockName, ResponseTarget] = {"first": DAY, "update": THREE_DAYS}
DEFAULT_TARGETS: Mapping[tuple[str, str | None, ClockName], ResponseTarget] = {
    ("technical", "A", "first"): ResponseTarget(minutes=2 * 60, is_round_the_clock=True, warn_minutes=30),
    ("technical", "B", "first"): ResponseTarget(minutes=4 * 60),
    ("technical", "C", "first"): ResponseTarget(minutes=8 * 60),
    ("technical", "A", "update"): ResponseTarget(minutes=4 * 60, is_round_the_clock=True),
    ("technical", "B", "update"): DAY,
    ("technical", "C", "update"): THREE_DAYS,
    ("fraud", None, "first"): ResponseTarget(minutes=60, is_round_the_clock=True, warn_minutes=30),
    ("fraud", None, "update"): DAY,
    **{
        (kind, None, clock): target
        for kind in ("billing_question", "dispute", "service_credit", "vendor_refusal")
        for clock, target in _OF_WORDS.items()
    },
}
"""Targets where nobody has set others: customers are answered as fast as the vendor promises to answer us.

A case that concerns no customer has no clock; a resolution is promised only where somebody says so.
"""


@dataclass(frozen=True, slots=True)
class ClockPause:
    """A time in which a clock stands, since the customer is waited for; without an end it still does."""

    begin: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class ResponseClock:
    """A run of a clock. Without `due_at` it is paused."""

    whose: ClockOwner
    which: ClockName
    run: int
    target: ResponseTarget
    began_at: datetime
    pauses: tuple[ClockPause, ...] = ()
    due_at: datetime | None = None
    warn_at: datetime | None = None
    warned_at: datetime | None = None
    missed_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def is_clock_running(self) -> bool:
        """Whether its deadline may still move."""
        return self.stopped_at is None and self.missed_at is None

    @property
    def next_announcement_at(self) -> datetime | None:
        """When something is to be announced of it; None if nothing will be, as it stands."""
        if not self.is_clock_running or self.due_at is None:
            return None
        return self.due_at if self.warned_at is not None or self.warn_at is None else self.warn_at


def compute_clock_deadline(
    calendar: BusinessCalendar, target: ResponseTarget, began_at: datetime, pauses: Sequence[ClockPause] = ()
) -> datetime | None:
    """Compute when a clock runs out; None while it is paused. Raises CalendarNeverOpen.

    A pause that begins when the clock has run out shifts nothing.
    """
    measured_by = target.choose_target_calendar(calendar)
    deadline = add_business_time(measured_by, began_at, timedelta(minutes=target.minutes))
    if target.business_days:
        deadline = add_business_days(measured_by, deadline, target.business_days)
    for pause in sorted(pauses, key=lambda pause: pause.begin):
        if pause.begin >= deadline:
            continue
        if pause.end is None:
            return None
        paused = measure_business_time(measured_by, pause.begin, pause.end)
        deadline = add_business_time(measured_by, deadline, paused) if paused else deadline
    return deadline


def compute_clock_warning(
    calendar: BusinessCalendar, target: ResponseTarget, began_at: datetime, deadline: datetime
) -> datetime:
    """Compute the instant from which no more than `warn_minutes` are left; at the earliest when it began."""
    span = timedelta(minutes=target.warn_minutes)
    return subtract_business_time(target.choose_target_calendar(calendar), deadline, span, began_at)


def compute_remaining_business_time(
    calendar: BusinessCalendar, clock: ResponseClock, now: datetime
) -> timedelta | None:
    """Compute the business time that is left; None while it is paused."""
    if clock.due_at is None:
        return None
    return measure_business_time(clock.target.choose_target_calendar(calendar), now, clock.due_at)


def recompute_response_clock(
    clock: ResponseClock, calendar: BusinessCalendar, target: ResponseTarget | None = None
) -> ResponseClock:
    """Recompute the deadline of a clock by a calendar, and by another target if there is one."""
    if not clock.is_clock_running:
        return clock
    target = target or clock.target
    due_at = compute_clock_deadline(calendar, target, clock.began_at, clock.pauses)
    warn_at = None if due_at is None else compute_clock_warning(calendar, target, clock.began_at, due_at)
    return replace(clock, target=target, due_at=due_at, warn_at=warn_at)


def pause_response_clock(clock: ResponseClock, calendar: BusinessCalendar, now: datetime) -> ResponseClock:
    """Let a clock stand while the customer is waited for; that of a first answer goes on."""
    if clock.which == "first" or not clock.is_clock_running or _is_paused(clock):
        return clock
    return recompute_response_clock(replace(clock, pauses=(*clock.pauses, ClockPause(now))), calendar)


def resume_response_clock(clock: ResponseClock, calendar: BusinessCalendar, now: datetime) -> ResponseClock:
    """Let a clock go on that stands."""
    if not clock.is_clock_running or not _is_paused(clock):
        return clock
    *before, standing = clock.pauses
    return recompute_response_clock(replace(clock, pauses=(*before, ClockPause(standing.begin, now))), calendar)


def stop_response_clock(clock: ResponseClock, now: datetime) -> ResponseClock:
    """Stop a clock: the answer was given, or none is owed any more. What is too late by then was missed."""
    if clock.stopped_at is not None:
        return clock
    return replace(evaluate_response_clock(clock, now), stopped_at=now)


def evaluate_response_clock(clock: ResponseClock, now: datetime) -> ResponseClock:
    """Note what is to be announced of a clock by now: that it was missed, else that it is near; each once.

    `mark_clocks_announced` of the repository does the same to all that are due.
    """
    if not clock.is_clock_running or clock.due_at is None:
        return clock
    if clock.due_at <= now:
        return replace(clock, missed_at=now)
    if clock.warned_at is None and clock.warn_at is not None and clock.warn_at <= now:
        return replace(clock, warned_at=now)
    return clock


def _is_paused(clock: ResponseClock) -> bool:
    return bool(clock.pauses) and clock.pauses[-1].end is None
