"""Dates that people agree on, in the account's time zone, and the instants that they mean.

A local time that a daylight-saving change skips means the first instant after the gap; one that it
repeats means its first occurrence.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
KEPT = 10_000
"""How many answers are kept: many accounts ask of the same few days, times and zones."""


def get_local_date(instant: datetime, zone: ZoneInfo) -> date:
    """Get the date on which an instant falls in a zone.

    Statements write it with `write_local_date` of `shared.persistence.local_midnights`.
    """
    return instant.astimezone(zone).date()


@lru_cache(KEPT)
def find_local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, of a local time on a day.

    Statements write midnight with `write_local_midnight` of `shared.persistence.local_midnights`.
    """
    local = datetime.combine(day, at, zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone) == local:  # of one zone, so it is the wall times that are compared
        return instant
    return _after_gap(local, zone)


@lru_cache(KEPT)
def find_first_day_from(instant: datetime, at: time, zone: ZoneInfo) -> date:
    """The first day whose local time `at` is not before an instant."""
    day = get_local_date(instant, zone) - ONE_DAY  # a zone that skips a whole date puts two days at one instant
    while find_local_instant(day, at, zone) < instant:
        day += ONE_DAY
    return day


@lru_cache(KEPT)
def find_last_passed_day(instant: datetime, at: time, zone: ZoneInfo) -> date:
    """The last day whose local time `at` is not after an instant."""
    day = get_local_date(instant, zone) + ONE_DAY  # a clock set back over midnight returns to the day before
    while find_local_instant(day, at, zone) > instant:
        day -= ONE_DAY
    return day


def _after_gap(skipped: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the gap in which a local time lies, by bisection between the days beside it."""
    before = (skipped.replace(tzinfo=UTC) - timedelta(days=2)).astimezone(UTC)
    after = before + timedelta(days=4)
    wanted = skipped.replace(tzinfo=None)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).replace(tzinfo=None) >= wanted:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)
