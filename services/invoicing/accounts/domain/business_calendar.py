"""Rules of a legal entity's business calendar: which days are closed, by the holidays of a country and by hand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays

from shared.pure.business_time import MAX_CLOSED_DAYS, BusinessCalendar, Hours
from shared.pure.calendar import ONE_DAY, find_local_instant, get_local_date
from shared.pure.errors import Refusal

PAST_YEARS = 1
"""How many years before this one are announced: what began then is still measured."""
YEARS_AHEAD = 5
"""How many years after this one are announced."""
HOLIDAY_LANGUAGE = "en_US"
"""The language of holidays' names; a country without it has its own."""


class BusinessCalendarNeverOpens(Refusal):
    """The calendar is closed for longer than a year."""

    code = "calendar_never_opens"
    status = 422


class ClosedDay(NamedTuple):
    """A day on which nobody works, with the reason that people know it by."""

    day: date
    name: str


@dataclass(frozen=True, slots=True)
class BusinessCalendarRules:
    """Rules of a calendar as people set them; without a country there are no holidays."""

    time_zone: str
    country: str | None
    subdivision: str | None
    hours: tuple[Hours, ...]
    """Openings of the weekdays, from Monday on."""
    extra_closed_days: tuple[ClosedDay, ...]
    extra_open_days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class AnnouncedCalendarYears:
    """Window of years whose closed days are announced, and when the next one is."""

    years: range
    covers_until: date
    next_at: datetime


@lru_cache
def list_holiday_countries() -> dict[str, frozenset[str]]:
    """List the countries whose holidays are known (ISO 3166), each with the codes of its subdivisions."""
    countries = holidays.list_supported_countries(include_aliases=False)
    return {country: frozenset(subdivisions) for country, subdivisions in countries.items()}


def list_holidays(country: str | None, subdivision: str | None, years: Iterable[int]) -> list[ClosedDay]:
    """List the holidays of a country, or of one of its subdivisions, in order; days of both names have both."""
    if country is None:
        return []
    names = holidays.country_holidays(country, subdiv=subdivision, years=years, expand=False, language=HOLIDAY_LANGUAGE)
    return [ClosedDay(day, name) for day, name in sorted(names.items())]


def list_closed_days(rules: BusinessCalendarRules, years: Iterable[int]) -> list[date]:
    """List the closed days of these years in order: holidays and extra closed days, but for extra open ones."""
    wanted = set(years)
    days = {closed.day for closed in list_holidays(rules.country, rules.subdivision, sorted(wanted))}
    days |= {closed.day for closed in rules.extra_closed_days}
    return sorted(day for day in days - set(rules.extra_open_days) if day.year in wanted)


def compute_announced_years(time_zone: str, now: datetime) -> AnnouncedCalendarYears:
    """Compute which years are announced at `now`, by the year that it is in a zone."""
    zone = ZoneInfo(time_zone)
    year = get_local_date(now, zone).year
    next_at = find_local_instant(date(year + 1, 1, 1), time(), zone)
    last_year = year + YEARS_AHEAD
    return AnnouncedCalendarYears(range(year - PAST_YEARS, last_year + 1), date(last_year, 12, 31), next_at)


def check_calendar_opens(rules: BusinessCalendarRules, window: AnnouncedCalendarYears) -> None:
    """Refuse rules by which nothing opens for longer than a year: no deadline has an end then.

    Raises BusinessCalendarNeverOpens.
    """
    closed_days = frozenset(list_closed_days(rules, window.years))
    calendar = BusinessCalendar(ZoneInfo(rules.time_zone), rules.hours, closed_days)
    day = last_open = date(window.years[0], 1, 1) - ONE_DAY
    while day < window.covers_until:
        day += ONE_DAY
        if calendar.is_business_day(day):
            last_open = day
        elif (day - last_open).days >= MAX_CLOSED_DAYS:
            raise BusinessCalendarNeverOpens(f"nothing is open from {last_open + ONE_DAY} to {day}")
