"""Clocks of cases: what pauses, changed severities and moved calendars do to a deadline."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.escalation.domain.clocks import (
    DEFAULT_TARGETS,
    ClockPause,
    ResponseClock,
    ResponseTarget,
    compute_clock_deadline,
    compute_remaining_business_time,
    evaluate_response_clock,
    pause_response_clock,
    recompute_response_clock,
    resume_response_clock,
    stop_response_clock,
)
from shared.pure.business_time import BusinessCalendar, measure_business_time
from tests.examples import scale_examples

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = BusinessCalendar.from_hours(BERLIN, dict.fromkeys(range(5), ((540, 720), (780, 1020))))
HALF = BusinessCalendar.from_hours(BERLIN, dict.fromkeys(range(4), ((540, 720),)), frozenset({date(2026, 3, 31)}))
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
EIGHT_HOURS = ResponseTarget(minutes=480)
CALENDARS = st.sampled_from([OFFICE, HALF])
TARGETS = st.one_of(
    st.builds(ResponseTarget, minutes=st.integers(1, 3000), warn_minutes=st.integers(0, 200)),
    st.builds(ResponseTarget, business_days=st.integers(1, 5), warn_minutes=st.integers(0, 200)),
    st.builds(ResponseTarget, minutes=st.integers(1, 3000), is_round_the_clock=st.just(True)),
)
FIRST = datetime(2026, 3, 25, tzinfo=UTC)
INSTANTS = st.integers(0, 8 * 1440).map(lambda minutes: FIRST + minutes * MINUTE)
"""Around the change to summer time in the night to 29 March 2026."""


def berlin(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


def begin(
    calendar: BusinessCalendar, target: ResponseTarget, began_at: datetime, which: str = "update"
) -> ResponseClock:
    return recompute_response_clock(ResponseClock("ours", which, 1, target, began_at), calendar)  # type: ignore[arg-type]


def test_eight_hours_over_a_weekend_of_summer_time() -> None:
    """Friday 15:00 to 17:00 are two hours; Monday 9:00 to 12:00 and 13:00 to 16:00 are six."""
    assert compute_clock_deadline(OFFICE, EIGHT_HOURS, berlin(3, 27, 15)) == berlin(3, 30, 16)


def test_what_is_paused_shifts_the_deadline_by_its_business_time() -> None:
    """From Friday 16:00 until Monday 10:00 two business hours pass."""
    pauses = (ClockPause(berlin(3, 27, 16), berlin(3, 30, 10)),)
    assert compute_clock_deadline(OFFICE, EIGHT_HOURS, berlin(3, 27, 15), pauses) == berlin(3, 31, 10)
    assert compute_clock_deadline(OFFICE, EIGHT_HOURS, berlin(3, 27, 15), (ClockPause(berlin(3, 27, 16)),)) is None
    late = (ClockPause(berlin(3, 30, 16), berlin(4, 1, 16)),)
    assert compute_clock_deadline(OFFICE, EIGHT_HOURS, berlin(3, 27, 15), late) == berlin(3, 30, 16), "it had run out"


@settings(max_examples=scale_examples(100), deadline=None)
@given(
    calendar=CALENDARS,
    minutes=st.integers(1, 3000),
    began_at=INSTANTS,
    gaps=st.lists(st.integers(1, 2000), max_size=6),
)
def test_a_clock_of_hours_counts_what_is_not_paused(
    calendar: BusinessCalendar, minutes: int, began_at: datetime, gaps: list[int]
) -> None:
    """Counted without the rule: the business time to the deadline, less that of each pause in it."""
    clock, now = begin(calendar, ResponseTarget(minutes=minutes), began_at), began_at
    for place, gap in enumerate(gaps):
        now += gap * MINUTE
        clock = (resume_response_clock if place % 2 else pause_response_clock)(clock, calendar, now)
    clock = resume_response_clock(clock, calendar, now + MINUTE)
    assert clock.due_at is not None
    paused = sum(
        (
            measure_business_time(calendar, pause.begin, min(pause.end, clock.due_at))
            for pause in clock.pauses
            if pause.end is not None
        ),
        timedelta(),
    )
    assert measure_business_time(calendar, began_at, clock.due_at) - paused == minutes * MINUTE


@settings(max_examples=scale_examples(100), deadline=None)
@given(calendar=CALENDARS, target=TARGETS, began_at=INSTANTS, pauses=st.lists(INSTANTS, max_size=4, unique=True))
def test_a_pause_never_makes_a_deadline_earlier(
    calendar: BusinessCalendar, target: ResponseTarget, began_at: datetime, pauses: list[datetime]
) -> None:
    instants = sorted(instant for instant in pauses if instant > began_at)
    spans = [ClockPause(start, end) for start, end in zip(instants[::2], instants[1::2], strict=False)]
    plain, paused = (
        compute_clock_deadline(calendar, target, began_at),
        compute_clock_deadline(calendar, target, began_at, spans),
    )
    assert plain is not None
    assert paused is not None
    assert paused >= plain


@settings(max_examples=scale_examples(100), deadline=None)
@given(calendar=CALENDARS, target=TARGETS, began_at=INSTANTS)
def test_somebody_is_warned_when_so_much_is_left_and_not_before(
    calendar: BusinessCalendar, target: ResponseTarget, began_at: datetime
) -> None:
    clock = begin(calendar, target, began_at)
    assert clock.due_at is not None
    assert clock.warn_at is not None
    span, measured_by = timedelta(minutes=target.warn_minutes), target.choose_target_calendar(calendar)
    assert began_at <= clock.warn_at <= clock.due_at
    assert measure_business_time(measured_by, clock.warn_at, clock.due_at) <= span
    if clock.warn_at > began_at:
        assert measure_business_time(measured_by, clock.warn_at, clock.due_at) == span


@settings(max_examples=scale_examples(100), deadline=None)
@given(before=TARGETS, after=TARGETS, calendars=st.tuples(CALENDARS, CALENDARS), began_at=INSTANTS)
def test_another_severity_or_calendar_counts_from_the_beginning(
    before: ResponseTarget,
    after: ResponseTarget,
    calendars: tuple[BusinessCalendar, BusinessCalendar],
    began_at: datetime,
) -> None:
    clock = recompute_response_clock(begin(calendars[0], before, began_at), calendars[1], after)
    assert clock == begin(calendars[1], after, began_at)


def test_the_clock_of_a_first_answer_never_pauses() -> None:
    clock = begin(OFFICE, EIGHT_HOURS, berlin(3, 27, 15), "first")
    assert pause_response_clock(clock, OFFICE, berlin(3, 27, 16)) == clock


def test_a_clock_round_the_clock_runs_through_the_night() -> None:
    target = ResponseTarget(minutes=480, is_round_the_clock=True)
    assert compute_clock_deadline(OFFICE, target, berlin(3, 27, 15)) == berlin(3, 27, 23)


def test_a_clock_stands_without_a_deadline_and_goes_on_with_a_later_one() -> None:
    standing = pause_response_clock(begin(OFFICE, EIGHT_HOURS, berlin(3, 27, 15)), OFFICE, berlin(3, 27, 16))
    assert (standing.pauses, standing.due_at, standing.warn_at) == ((ClockPause(berlin(3, 27, 16)),), None, None)
    assert resume_response_clock(standing, OFFICE, berlin(3, 30, 10)).due_at == berlin(3, 31, 10)


def test_each_deadline_is_announced_once_and_a_missed_one_stays_missed() -> None:
    clock = begin(OFFICE, EIGHT_HOURS, berlin(3, 27, 15))
    assert clock.next_announcement_at == clock.warn_at
    assert evaluate_response_clock(clock, berlin(3, 30, 14)) == clock
    warned = evaluate_response_clock(clock, berlin(3, 30, 15))
    assert (warned.warned_at, warned.missed_at, warned.next_announcement_at) == (berlin(3, 30, 15), None, clock.due_at)
    missed = evaluate_response_clock(warned, berlin(3, 30, 16))
    assert (missed.missed_at, missed.next_announcement_at) == (berlin(3, 30, 16), None)
    assert evaluate_response_clock(missed, berlin(4, 1, 9)) == missed
    assert recompute_response_clock(missed, HALF, ResponseTarget(business_days=5)) == missed
    assert pause_response_clock(missed, OFFICE, berlin(3, 31, 9)) == missed


def test_an_answer_after_the_deadline_was_too_late_and_one_at_it_too() -> None:
    clock = begin(OFFICE, EIGHT_HOURS, berlin(3, 27, 15))
    in_time = stop_response_clock(clock, berlin(3, 30, 15, 59))
    assert (in_time.missed_at, in_time.next_announcement_at) == (None, None)
    assert stop_response_clock(clock, berlin(3, 30, 16)).missed_at == berlin(3, 30, 16)
    assert stop_response_clock(in_time, berlin(4, 7, 9)) == in_time


def test_what_remains_is_business_time() -> None:
    clock = begin(OFFICE, EIGHT_HOURS, berlin(3, 27, 15))
    assert compute_remaining_business_time(OFFICE, clock, berlin(3, 28, 12)) == 6 * HOUR
    assert compute_remaining_business_time(OFFICE, clock, berlin(4, 1, 12)) == timedelta()
    assert compute_remaining_business_time(OFFICE, replace(clock, due_at=None), berlin(3, 28, 12)) is None


@pytest.mark.parametrize(("severity", "hours"), [("A", 2), ("B", 4), ("C", 8)])
def test_a_technical_problem_is_answered_as_fast_as_the_vendor_answers_us(severity: str, hours: int) -> None:
    assert DEFAULT_TARGETS["technical", severity, "first"].minutes == hours * 60
