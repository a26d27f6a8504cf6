"""Local times that a daylight-saving change skips or repeats have a stated rule."""

import time as system_time
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from shared.pure.calendar import (
    find_first_day_from,
    find_last_passed_day,
    find_local_instant,
    get_local_date,
)

CASES = [
    ("UTC", date(2026, 3, 10), time(9), "2026-03-10T09:00"),
    ("Europe/Berlin", date(2026, 1, 10), time(9), "2026-01-10T08:00"),
    ("Europe/Berlin", date(2026, 7, 10), time(9), "2026-07-10T07:00"),
    ("Asia/Kathmandu", date(2026, 7, 10), time(0), "2026-07-09T18:15"),
    # skipped: the first instant after the gap
    ("Europe/Berlin", date(2026, 3, 29), time(2), "2026-03-29T01:00"),
    ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29T01:00"),
    ("Europe/Berlin", date(2026, 3, 29), time(2, 10), "2026-03-29T01:00"),  # searched to the second
    ("Europe/Berlin", date(2026, 3, 29), time(3), "2026-03-29T01:00"),
    ("America/Havana", date(2026, 3, 8), time(0), "2026-03-08T05:00"),
    ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03T15:30"),
    ("Pacific/Apia", date(2011, 12, 30), time(9), "2011-12-30T10:00"),
    # repeated: the first of the two
    ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25T00:30"),
    ("America/Havana", date(2026, 11, 1), time(0), "2026-11-01T04:00"),
]


def utc(text: str) -> datetime:
    """An instant from its text."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("zone", "day", "at", "instant"), CASES)
def test_a_local_time_is_one_instant(zone: str, day: date, at: time, instant: str) -> None:
    assert find_local_instant(day, at, ZoneInfo(zone)) == utc(instant)


@pytest.mark.parametrize(
    ("zone", "instant", "day"),
    [
        ("America/New_York", "2026-03-10T03:59", date(2026, 3, 9)),
        ("America/New_York", "2026-03-10T04:00", date(2026, 3, 10)),
        ("Pacific/Apia", "2011-12-30T09:59", date(2011, 12, 29)),
        ("Pacific/Apia", "2011-12-30T10:00", date(2011, 12, 31)),
    ],
)
def test_an_instant_falls_on_one_day(zone: str, instant: str, day: date) -> None:
    assert get_local_date(utc(instant), ZoneInfo(zone)) == day


@pytest.mark.parametrize(
    ("zone", "at", "instant", "first", "last"),
    [
        ("UTC", time(9), "2026-03-10T08:59", date(2026, 3, 10), date(2026, 3, 9)),
        ("UTC", time(9), "2026-03-10T09:00", date(2026, 3, 10), date(2026, 3, 10)),
        ("UTC", time(9), "2026-03-10T09:01", date(2026, 3, 11), date(2026, 3, 10)),
        ("Asia/Tokyo", time(0), "2026-03-10T15:00", date(2026, 3, 11), date(2026, 3, 11)),
        ("Europe/Berlin", time(2, 30), "2026-03-29T01:00", date(2026, 3, 29), date(2026, 3, 29)),
        # the two days whose midnight is one instant, since the 30th never was
        ("Pacific/Apia", time(0), "2011-12-30T10:00", date(2011, 12, 30), date(2011, 12, 31)),
        # the clock went back over midnight: the 1st had begun, and it is the 31st again
        ("America/St_Johns", time(0), "2010-11-07T02:31", date(2010, 11, 8), date(2010, 11, 7)),
    ],
)
def test_the_days_beside_an_instant(zone: str, at: time, instant: str, first: date, last: date) -> None:
    assert find_first_day_from(utc(instant), at, ZoneInfo(zone)) == first
    assert find_last_passed_day(utc(instant), at, ZoneInfo(zone)) == last


@pytest.fixture
def system_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zone of the machine."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        system_time.tzset()
        yield
    system_time.tzset()


@pytest.mark.usefixtures("system_zone")
@pytest.mark.parametrize(
    ("system_zone", "zone"),
    [("Pacific/Kiritimati", "Etc/GMT+12"), ("Etc/GMT+12", "Pacific/Kiritimati")],
    indirect=["system_zone"],
)
def test_the_zone_of_the_machine_says_nothing(zone: str) -> None:
    """The dates of the two zones differ by up to two days."""
    instant = find_local_instant(date(2026, 3, 10), time(12), ZoneInfo(zone))
    assert find_first_day_from(instant, time(12), ZoneInfo(zone)) == date(2026, 3, 10)
    assert find_last_passed_day(instant, time(12), ZoneInfo(zone)) == date(2026, 3, 10)
