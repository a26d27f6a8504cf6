"""Business time: the hours in which somebody works, by a calendar of hours, zone and closed days.

Hours are local times; where a daylight-saving change skips or repeats some, what really passes is counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from zoneinfo import ZoneInfo

from shared.pure.calendar import ONE_DAY, find_local_instant, get_local_date

MINUTES_OF_DAY = 24 * 60
MAX_CLOSED_DAYS = 366
"""How long nothing may be open; a calendar that opens later than that is none."""
MAX_SPAN_DAYS = 3_660
"""How long after its beginning a span of business time ends at the latest, however few the hours are."""
KEPT_DAYS = 20_000
"""How many days' openings are kept: many cases ask for the same few."""

Hours = tuple[tuple[int, int], ...]
"""Openings of a day, in minutes from its local midnight: from, and until (1440 is the end of the day)."""


class CalendarNeverOpen(ValueError):
    """The calendar opens on no day for longer than a year."""


class BusinessHoursRefused(ValueError):
    """Hours that are not within a day, or not one after the other."""


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """When somebody works: hours of each weekday (Monday is 0) in a zone, but for closed days."""

    zone: ZoneInfo
    hours: tuple[Hours, ...]
    closed_days: frozenset[date] = frozenset()

    @classmethod
    def from_hours(
        cls, zone: ZoneInfo, hours: Mapping[int, Hours], closed_days: frozenset[date] = frozenset()
    ) -> "BusinessCalendar":
        """Build a calendar of the weekdays that have hours. Raises CalendarNeverOpen."""
        calendar = cls(zone, tuple(hours.get(weekday, ()) for weekday in range(7)), closed_days)
        if not any(calendar.hours):
            raise CalendarNeverOpen("no weekday has hours")
        return calendar

    def is_business_day(self, day: date) -> bool:
        """Whether it opens on a day."""
        return bool(self.hours[day.weekday()]) and day not in self.closed_days


ROUND_THE_CLOCK = BusinessCalendar(ZoneInfo("UTC"), (((0, MINUTES_OF_DAY),),) * 7)


def check_business_calendar(calendar: BusinessCalendar) -> None:
    """Check that business time can be measured by a calendar. Raises BusinessHoursRefused, CalendarNeverOpen."""
    for openings in calendar.hours:
        minutes = [0, *chain.from_iterable(openings), MINUTES_OF_DAY]
        if minutes != sorted(minutes):
            raise BusinessHoursRefused("hours of a day are within it, and one after the other")
    if not any(begin < end for openings in calendar.hours for begin, end in openings):
        raise CalendarNeverOpen("no weekday has hours")
    for day in sorted(calendar.closed_days):
        _find_next_day(calendar, day)


@lru_cache(KEPT_DAYS)
def _list_day(calendar: BusinessCalendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    if not calendar.is_business_day(day):
        return ()
    spans = ((_place(calendar, day, begin), _place(calendar, day, end)) for begin, end in calendar.hours[day.weekday()])
    return tuple((begin, end) for begin, end in spans if begin < end)


def _place(calendar: BusinessCalendar, day: date, minute: int) -> datetime:
    """Place a minute of a day: the instant of its local time."""
    whole_days, rest = divmod(minute, MINUTES_OF_DAY)
    return find_local_instant(day + whole_days * ONE_DAY, time(rest // 60, rest % 60), calendar.zone)


def list_business_hours(calendar: BusinessCalendar, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
    """List openings (from, until; UTC) that end after an instant, in order, for ever. Raises CalendarNeverOpen."""
    day = get_local_date(instant, calendar.zone) - ONE_DAY
    last_open = day
    while True:
        for begin, end in _list_day(calendar, day):
            if end > instant:
                last_open = day
                yield begin, end
        if (day - last_open).days > MAX_CLOSED_DAYS:
            raise CalendarNeverOpen("the calendar opens on no day for longer than a year")
        day += ONE_DAY


def find_next_opening(calendar: BusinessCalendar, instant: datetime) -> datetime:
    """Find the instant from which it is open: this one, else when it opens next."""
    begin, _ = next(list_business_hours(calendar, instant))
    return max(begin, instant)


def add_business_time(calendar: BusinessCalendar, instant: datetime, span: timedelta) -> datetime:
    """Add a span of business time, up to `MAX_SPAN_DAYS`; what comes outside hours counts from the next opening."""
    latest = instant + timedelta(days=MAX_SPAN_DAYS)
    for begin, end in list_business_hours(calendar, instant):
        start = max(begin, instant)
        if start >= latest:
            return latest
        if span <= end - start:
            return start + span
        span -= end - start
    raise CalendarNeverOpen("the calendar ends")  # it does not: openings go on for ever


def measure_business_time(calendar: BusinessCalendar, begin: datetime, end: datetime) -> timedelta:
    """Measure the business time between two instants; zero if the second is not after the first."""
    total = timedelta()
    if end <= begin:
        return total
    for opening, closing in list_business_hours(calendar, begin):
        if opening >= end:
            break
        total += min(closing, end) - max(opening, begin)
    return total


def subtract_business_time(
    calendar: BusinessCalendar, instant: datetime, span: timedelta, earliest: datetime
) -> datetime:
    """Subtract a span of business time from an instant, down to `earliest`."""
    spans = []
    for opening, closing in list_business_hours(calendar, earliest):
        if opening >= instant:
            break
        spans.append((max(opening, earliest), min(closing, instant)))
    for begin, end in reversed(spans):
        if span <= end - begin:
            return end - span
        span -= end - begin
    return earliest


def add_business_days(calendar: BusinessCalendar, instant: datetime, days: int) -> datetime:
    """Add business days: the same local time on a later day with hours, within the hours of that day.

    What comes outside hours counts from the next opening.
    """
    start = find_next_opening(calendar, instant)
    day = get_local_date(start, calendar.zone)
    for _ in range(days):
        day = _find_next_day(calendar, day)
    openings = _list_day(calendar, day)
    same_time = find_local_instant(day, start.astimezone(calendar.zone).time(), calendar.zone)
    return min(max(same_time, openings[0][0]), openings[-1][1])


def _find_next_day(calendar: BusinessCalendar, day: date) -> date:
    for _ in range(MAX_CLOSED_DAYS):
        day += ONE_DAY
        if _list_day(calendar, day):
            return day
    raise CalendarNeverOpen("the calendar opens on no day for longer than a year")
