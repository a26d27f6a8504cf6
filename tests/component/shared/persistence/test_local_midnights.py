"""Statements let a date begin when the calendar does, and say the date of an instant, in every time zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.persistence.local_midnights import write_local_date, write_local_midnight
from shared.pure.calendar import find_local_instant, get_local_date
from tests.builders import Database

_ASKED = f"""
SELECT {write_local_midnight("day", "zone")} AS midnight
FROM unnest($1::date[], $2::text[]) WITH ORDINALITY AS asked (day, zone, place) ORDER BY place
"""
AT_CHANGES = [
    (date(2026, 11, 1), "America/Havana"),  # two midnights
    (date(2026, 10, 25), "Atlantic/Azores"),
    (date(2026, 9, 6), "America/Santiago"),  # none
    (date(2026, 4, 24), "Africa/Cairo"),
    (date(2026, 10, 30), "Africa/Cairo"),
    (date(2026, 3, 29), "Europe/Berlin"),  # one, and a change later on the day
    (date(2026, 10, 25), "Europe/Berlin"),
]
_ZONES = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("posix", "right")))
_DAYS = st.dates(date(2000, 1, 1), date(2037, 12, 31))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(asked=AT_CHANGES)
@given(asked=st.lists(st.tuples(_DAYS, st.sampled_from(_ZONES)), min_size=50, max_size=200))
async def test_a_date_begins_at_the_same_instant_as_in_the_calendar(
    database: Database, asked: list[tuple[date, str]]
) -> None:
    rows = await database.rows(_ASKED, [day for day, _ in asked], [zone for _, zone in asked])
    assert [row["midnight"] for row in rows] == [find_local_instant(day, time(), ZoneInfo(zone)) for day, zone in asked]


_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
_INSTANTS = st.integers(0, 38 * 365 * 24 * 60).map(lambda minutes: _BEGIN + timedelta(minutes=minutes))
AROUND_CHANGES = [
    (find_local_instant(day, time(), ZoneInfo(zone)) + timedelta(minutes=minutes), zone)
    for day, zone in AT_CHANGES
    for minutes in (-60, -1, 0, 1, 59, 60, 61)
]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(asked=AROUND_CHANGES)
@given(asked=st.lists(st.tuples(_INSTANTS, st.sampled_from(_ZONES)), min_size=50, max_size=200))
async def test_an_instant_falls_on_the_same_date_as_in_the_calendar(
    database: Database, asked: list[tuple[datetime, str]]
) -> None:
    rows = await database.rows(
        f"SELECT {write_local_date('instant', 'zone')} AS day"
        " FROM unnest($1::timestamptz[], $2::text[]) WITH ORDINALITY AS asked (instant, zone, place) ORDER BY place",
        [instant for instant, _ in asked],
        [zone for _, zone in asked],
    )
    assert [row["day"] for row in rows] == [get_local_date(instant, ZoneInfo(zone)) for instant, zone in asked]
