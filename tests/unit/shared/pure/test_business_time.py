"""Business time, held against counting minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.pure.business_time import (
    MAX_SPAN_DAYS,
    ROUND_THE_CLOCK,
    BusinessCalendar,
    BusinessHoursRefused,
    CalendarNeverOpen,
    Hours,
    add_business_days,
    add_business_time,
    check_business_calendar,
    find_next_opening,
    measure_business_time,
    subtract_business_time,
)
from tests.examples import scale_examples

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
MINUTE, DAYS = timedelta(minutes=1), timedelta(days=12)
OFFICE: Hours = ((9 * 60, 17 * 60),)
WEEK = BusinessCalendar.from_hours(BERLIN, dict.fromkeys(range(5), OFFICE))


def berlin(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN)


@st.composite
def days_of_hours(draw: st.DrawFn) -> Hours:
    """Up to two openings of a day, at full hours."""
    hours = sorted(draw(st.sets(st.integers(0, 24), min_size=0, max_size=4)))
    return tuple((begin * 60, end * 60) for begin, end in zip(hours[::2], hours[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    weekdays = draw(st.lists(days_of_hours(), min_size=7, max_size=7).filter(any))
    closed_days = draw(st.frozensets(st.dates(date(2026, 3, 20), date(2026, 4, 10)), max_size=3))
    return BusinessCalendar(ZoneInfo(draw(st.sampled_from(ZONES))), tuple(weekdays), closed_days)


FIRST = datetime(2026, 3, 20, tzinfo=UTC)
BEGINS = st.integers(0, 19 * 1440).map(lambda minutes: FIRST + minutes * MINUTE)
"""Instants around the changes to summer time of both halves of the year 2026."""


def is_open(calendar: BusinessCalendar, instant: datetime) -> bool:
    """Whether it is open by the clock on the wall."""
    local = instant.astimezone(calendar.zone)
    minute = local.hour * 60 + local.minute
    hours = calendar.hours[local.weekday()] if local.date() not in calendar.closed_days else ()
    return any(begin <= minute < end for begin, end in hours)


def count_minutes(calendar: BusinessCalendar, begin: datetime, end: datetime) -> int:
    """Count the open minutes one by one."""
    minutes = round((end - begin) / MINUTE)
    return sum(is_open(calendar, begin + n * MINUTE) for n in range(minutes))


@settings(max_examples=scale_examples(60), deadline=None)
@given(calendar=calendars(), begin=BEGINS, minutes=st.integers(0, 4 * 1440))
@example(
    calendar=BusinessCalendar.from_hours(BERLIN, dict.fromkeys(range(7), ((60, 240),))),
    begin=datetime(2026, 3, 28, 22, tzinfo=UTC),  # the night of summer time has two of these three hours
    minutes=720,
)
def test_what_is_measured_is_what_the_clock_on_the_wall_shows(
    calendar: BusinessCalendar, begin: datetime, minutes: int
) -> None:
    end = begin + minutes * MINUTE
    assert measure_business_time(calendar, begin, end) == count_minutes(calendar, begin, end) * MINUTE


@settings(max_examples=scale_examples(60), deadline=None)
@given(calendar=calendars(), begin=BEGINS, minutes=st.integers(1, 1200), more=st.integers(1, 600))
def test_what_is_added_has_passed_and_not_a_minute_more(
    calendar: BusinessCalendar, begin: datetime, minutes: int, more: int
) -> None:
    end = add_business_time(calendar, begin, minutes * MINUTE)
    assert measure_business_time(calendar, begin, end) == minutes * MINUTE
    assert is_open(calendar, end - MINUTE), "it ends with an open minute"
    assert add_business_time(calendar, end, more * MINUTE) == add_business_time(
        calendar, begin, (minutes + more) * MINUTE
    )


@settings(max_examples=scale_examples(60), deadline=None)
@given(calendar=calendars(), begin=BEGINS)
def test_nothing_is_open_before_the_next_opening(calendar: BusinessCalendar, begin: datetime) -> None:
    opening = find_next_opening(calendar, begin)
    assert is_open(calendar, opening)
    assert count_minutes(calendar, begin, opening) == 0
    assert add_business_time(calendar, begin, timedelta()) == opening


@settings(max_examples=scale_examples(60), deadline=None)
@given(calendar=calendars(), begin=BEGINS, days=st.integers(1, 4))
def test_business_days_later_is_between_opening_and_closing_of_that_day(
    calendar: BusinessCalendar, begin: datetime, days: int
) -> None:
    start, end = find_next_opening(calendar, begin), add_business_days(calendar, begin, days)
    instants = [start, *(start.replace(minute=0) + n * 30 * MINUTE for n in range(1, 16 * 48))]
    open_instants = [instant for instant in instants if is_open(calendar, instant)]
    dates = sorted({instant.astimezone(calendar.zone).date() for instant in open_instants})
    assume(len(dates) > days)
    of_day = [instant for instant in open_instants if instant.astimezone(calendar.zone).date() == dates[days]]
    assert of_day[0] <= end <= of_day[-1] + 30 * MINUTE


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (berlin(2026, 4, 1, 10, 30), berlin(2026, 4, 2, 10, 30)),
        (berlin(2026, 4, 3, 16, 0), berlin(2026, 4, 6, 16, 0)),  # from Friday over the weekend
        (berlin(2026, 4, 4, 12, 0), berlin(2026, 4, 7, 9, 0)),  # on Saturday: counts from Monday's opening
        (berlin(2026, 4, 1, 18, 0), berlin(2026, 4, 3, 9, 0)),  # after hours: counts from the next opening
        (berlin(2026, 3, 27, 10, 0), berlin(2026, 3, 30, 10, 0)),  # over the change to summer time
    ],
)
def test_one_business_day_is_the_same_local_time_on_the_next(begin: datetime, end: datetime) -> None:
    assert add_business_days(WEEK, begin, 1) == end


def test_a_day_that_closes_earlier_ends_a_business_day_earlier() -> None:
    short = BusinessCalendar.from_hours(BERLIN, {3: OFFICE, 4: ((9 * 60, 12 * 60),), 0: ((11 * 60, 17 * 60),)})
    assert add_business_days(short, berlin(2026, 4, 2, 15, 0), 1) == berlin(2026, 4, 3, 12, 0)
    assert add_business_days(short, berlin(2026, 4, 3, 10, 0), 1) == berlin(2026, 4, 6, 11, 0)


def test_closed_days_do_not_count() -> None:
    easter = BusinessCalendar.from_hours(
        BERLIN, dict.fromkeys(range(5), OFFICE), frozenset({date(2026, 4, 3), date(2026, 4, 6)})
    )
    assert add_business_days(easter, berlin(2026, 4, 2, 14, 0), 1) == berlin(2026, 4, 7, 14, 0)
    assert add_business_time(easter, berlin(2026, 4, 2, 16, 0), timedelta(hours=2)) == berlin(2026, 4, 7, 10, 0)


def test_round_the_clock_every_hour_counts() -> None:
    begin = berlin(2026, 10, 24, 23, 0)  # the night in which an hour is there twice
    assert add_business_time(ROUND_THE_CLOCK, begin, timedelta(hours=8)) == begin.astimezone(UTC) + timedelta(hours=8)


def test_days_without_hours_are_closed() -> None:
    assert BusinessCalendar.from_hours(BERLIN, {0: OFFICE}).hours == (OFFICE, (), (), (), (), (), ())


def test_business_time_is_counted_back_from_an_instant() -> None:
    """Thursday 2 April to Tuesday 7 April 2026, with Friday and Monday closed: eight hours a day."""
    easter = BusinessCalendar.from_hours(
        BERLIN, dict.fromkeys(range(5), OFFICE), frozenset({date(2026, 4, 3), date(2026, 4, 6)})
    )
    earliest, tuesday = berlin(2026, 4, 2, 15, 0), berlin(2026, 4, 7, 11, 0)
    expected = {
        0: tuesday,
        1: berlin(2026, 4, 7, 10, 0),
        2: berlin(2026, 4, 7, 9, 0),
        3: berlin(2026, 4, 2, 16, 0),
        4: earliest,
        5: earliest,
    }
    for hours, instant in expected.items():
        assert subtract_business_time(easter, tuesday, timedelta(hours=hours), earliest) == instant
    assert subtract_business_time(easter, berlin(2026, 4, 7, 8, 0), timedelta(hours=1), earliest) == berlin(
        2026, 4, 2, 16, 0
    )
    opening = berlin(2026, 4, 7, 9, 0)
    assert subtract_business_time(easter, opening, timedelta(0), opening) == opening


def test_a_calendar_that_never_opens_is_none() -> None:
    with pytest.raises(CalendarNeverOpen):
        BusinessCalendar.from_hours(BERLIN, {})
    first = date(2026, 4, 1)
    closed_days = frozenset(first + timedelta(days=n) for n in range(800))
    for_ever = BusinessCalendar.from_hours(BERLIN, {2: OFFICE}, closed_days)
    with pytest.raises(CalendarNeverOpen):
        find_next_opening(for_ever, berlin(2026, 4, 1))


@pytest.mark.parametrize(
    "openings", [((-60, 60),), ((600, 540),), ((540, 1500),), ((600, 10**12),), ((600, 1000), (0, 700))]
)
def test_hours_that_are_not_of_one_day_in_order_are_refused(openings: Hours) -> None:
    with pytest.raises(BusinessHoursRefused):
        check_business_calendar(BusinessCalendar(BERLIN, (OFFICE, openings, *([()] * 5))))


@pytest.mark.parametrize(
    ("hours", "closed_days"),
    [
        (((540, 540),), ()),
        (OFFICE, [date(2026, 1, 1) + timedelta(days=n) for n in range(800)]),
    ],
)
def test_what_opens_on_no_day_of_a_year_is_refused(hours: Hours, closed_days: list[date]) -> None:
    with pytest.raises(CalendarNeverOpen):
        check_business_calendar(BusinessCalendar(BERLIN, (hours,) * 7, frozenset(closed_days)))
    check_business_calendar(BusinessCalendar(BERLIN, (OFFICE,) * 7, frozenset(closed_days[:300])))


def test_a_span_ends_after_ten_years_however_few_the_hours_are() -> None:
    thin = BusinessCalendar.from_hours(BERLIN, {0: ((540, 541),)})
    begin = berlin(2026, 4, 1)
    assert add_business_time(thin, begin, timedelta(days=365)) == begin + timedelta(days=MAX_SPAN_DAYS)
