"""A legal entity has a business calendar: set by a person, announced whole, and anew as years go by."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.process.runtime import Runtime
from shared.pure.business_time import add_business_days, add_business_time, find_next_opening, measure_business_time
from tests.builders import Client, Database, running, sweep
from tests.component.calendar_requests import (
    OFFICE,
    PATH,
    WORKWEEK,
    build_calendar,
    list_announced,
    put_calendar,
)
from tests.component.requests_at_once import send_at_once

BERLIN_2026 = {
    date(2026, 1, 1),
    date(2026, 3, 8),
    date(2026, 4, 3),
    date(2026, 4, 6),
    date(2026, 5, 1),
    date(2026, 5, 14),
    date(2026, 5, 25),
    date(2026, 10, 3),
    date(2026, 12, 25),
    date(2026, 12, 26),
}
"""By the law of Berlin; Easter is on 5 April 2026."""
BAVARIA_2026 = BERLIN_2026 - {date(2026, 3, 8)} | {date(2026, 1, 6), date(2026, 6, 4), date(2026, 11, 1)}
"""By that of Bavaria, without the Assumption: it depends on the municipality."""
FRANCE_2026 = {
    date(2026, 1, 1),
    date(2026, 4, 6),
    date(2026, 5, 1),
    date(2026, 5, 8),
    date(2026, 5, 14),
    date(2026, 5, 25),
    date(2026, 7, 14),
    date(2026, 8, 15),
    date(2026, 11, 1),
    date(2026, 11, 11),
    date(2026, 12, 25),
}
"""By the Code du travail, L3133-1."""


@pytest.fixture
async def served(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[tuple[Runtime, Client]]:
    """Invoicing on 2 March 2026."""
    async with running("invoicing", database, keys, jwks_file) as served:
        yield served


@pytest.fixture
async def client(served: tuple[Runtime, Client]) -> Client:
    return served[1]


@pytest.mark.parametrize(
    ("country", "subdivision", "expected"),
    [("DE", "BE", BERLIN_2026), ("DE", "BY", BAVARIA_2026), ("FR", None, FRANCE_2026), (None, None, set())],
)
async def test_what_is_announced_is_what_the_law_says(
    client: Client, database: Database, country: str | None, subdivision: str | None, expected: set[date]
) -> None:
    answer = await put_calendar(client, build_calendar(country=country, subdivision=subdivision))
    assert answer.status_code == 200, answer.text
    (announced,) = await list_announced(database)
    assert {day for day in announced.closed_days if day.year == 2026} == expected
    assert list(announced.closed_days) == sorted(announced.closed_days)
    shown = {date.fromisoformat(holiday["day"]) for holiday in answer.json()["holidays"]}
    assert {day for day in shown if day.year == 2026} == expected
    assert shown == {day for day in announced.closed_days if day.year in (2026, 2027)}
    years = {day.year for day in announced.closed_days}
    assert years == (set(range(2025, 2032)) if country else set())
    assert (announced.covers_until, answer.json()["covers_until"]) == (date(2031, 12, 31), "2031-12-31")


async def test_a_calendar_is_set_once_for_each_version_that_was_seen(client: Client, database: Database) -> None:
    assert (await client.get(PATH.format("GS-DE"))).status_code == 404
    assert (await put_calendar(client, build_calendar(), version=1)).status_code == 412
    first = await put_calendar(client, build_calendar())
    assert (first.status_code, first.headers["etag"], first.json()["version"]) == (200, '"1"', 1)
    assert (await put_calendar(client, build_calendar())).json()["code"] == "if_match_missing"
    assert (await put_calendar(client, build_calendar(), version=2)).json()["code"] == "stale"
    hours = {"saturday": [{"opens": "00:00", "closes": "12:00"}, {"opens": "12:00", "closes": "24:00"}]}
    changed = await put_calendar(client, build_calendar(hours=hours), version=1)
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await put_calendar(client, build_calendar(), version=1)).json()["code"] == "stale"
    shown = await client.get(PATH.format("GS-DE"))
    assert (shown.json(), shown.headers["etag"]) == (changed.json(), '"2"')
    assert shown.json()["hours"] == {day: [] for day in WORKWEEK} | {"sunday": []} | hours
    former, announced = await list_announced(database)
    assert former.hours == (((540, 1020),),) * 5 + ((), ())
    assert announced.hours == ((),) * 5 + (((0, 720), (720, 1440)), ())
    entries = (await client.got("/v1/audit-entries", action="business_calendar.set"))["items"]
    assert [(entry["object_id"], entry["actor"]) for entry in entries] == [("GS-DE", "operator")] * 2
    assert sorted(str(entry["after"] and entry["after"]["version"]) for entry in entries) == ["2", "None"]


async def test_of_two_who_set_it_at_once_the_second_has_seen_too_little(client: Client, database: Database) -> None:
    firsts = await asyncio.gather(*(put_calendar(client, build_calendar()) for _ in range(4)))
    assert sorted(answer.status_code for answer in firsts) == [200, 428, 428, 428]

    async def replace_first(_: int) -> httpx2.Response:
        return await put_calendar(client, build_calendar(), version=1)

    row = "invoicing.business_calendars WHERE legal_entity = 'GS-DE'"
    assert await send_at_once(database, row, replace_first, 3) == [200, 412, 412]
    assert len(await list_announced(database)) == 2


async def test_what_was_read_is_what_was_set(client: Client) -> None:
    body = build_calendar(
        extra_closed_days=[{"day": "2026-12-24", "name": "Christmas Eve"}], extra_open_days=["2026-05-01"]
    )
    shown = (await put_calendar(client, body)).json()
    assert {name: shown[name] for name in body} == body | {"hours": WORKWEEK | {"saturday": [], "sunday": []}}
    assert {"day": "2026-05-01", "name": "Labor Day"} in shown["holidays"]


async def test_extra_days_are_closed_and_holidays_are_worked_on(client: Client, database: Database) -> None:
    closed = [{"day": day, "name": "Inventory"} for day in ("2026-03-04", "2019-03-04")]
    await put_calendar(client, build_calendar(extra_closed_days=closed, extra_open_days=["2026-05-01"]))
    (announced,) = await list_announced(database)
    in_2026 = {day for day in announced.closed_days if day.year == 2026}
    assert in_2026 == BERLIN_2026 - {date(2026, 5, 1)} | {date(2026, 3, 4)}
    assert date(2019, 3, 4) not in announced.closed_days
    calendar = announced.build_calendar()
    tuesday = datetime(2026, 3, 3, 15, tzinfo=UTC)  # 16:00 in Berlin
    assert add_business_time(calendar, tuesday, timedelta(hours=2)) == datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert add_business_days(calendar, tuesday, 1) == datetime(2026, 3, 5, 15, tzinfo=UTC)
    first_of_may = datetime(2026, 5, 1, 5, tzinfo=UTC)
    assert find_next_opening(calendar, first_of_may) == datetime(2026, 5, 1, 7, tzinfo=UTC)


async def test_a_weekday_without_hours_and_a_change_of_clocks_are_measured(client: Client, database: Database) -> None:
    hours = {"sunday": [{"opens": "00:00", "closes": "24:00"}], "monday": OFFICE}
    await put_calendar(client, build_calendar(hours=hours))
    (announced,) = await list_announced(database)
    calendar = announced.build_calendar()
    whole_week = datetime(2026, 3, 23, 22, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    assert measure_business_time(calendar, *whole_week) == timedelta(hours=23 + 8), "a day of 23 hours, and Monday"
    assert find_next_opening(calendar, datetime(2026, 3, 24, 9, tzinfo=UTC)) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    women_s_day = datetime(2026, 3, 8, 9, tzinfo=UTC)
    assert find_next_opening(calendar, women_s_day) == datetime(2026, 3, 9, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"country": "EU", "subdivision": None}, "country"),
        ({"subdivision": "QQ"}, "subdivision"),
        ({"country": "FR"}, "subdivision"),
        ({"country": None}, "subdivision"),
        ({"time_zone": "Europe/Bonn"}, "time_zone"),
        ({"hours": {}}, "hours"),
        ({"hours": {"monday": []}}, "hours"),
        ({"hours": {"monday": [{"opens": "9:00", "closes": "17:00"}]}}, "hours.monday.0.opens"),
        ({"hours": {"monday": [{"opens": "24:00", "closes": "24:00"}]}}, "hours.monday.0.opens"),
        ({"hours": {"monday": [{"opens": "17:00", "closes": "09:00"}]}}, "hours.monday.0"),
        ({"hours": {"monday": [{"opens": "09:00", "closes": "09:00"}]}}, "hours.monday.0"),
        ({"hours": {"monday": [{"opens": "09:00", "closes": "12:00"}, *OFFICE]}}, "hours.monday"),
        ({"hours": {"monday": [{"opens": "18:00", "closes": "19:00"}, *OFFICE]}}, "hours.monday"),
        ({"extra_closed_days": [{"day": "2026-12-24", "name": "Eve"}] * 2}, "extra_closed_days"),
        ({"extra_open_days": ["2026-05-01"] * 2}, "extra_open_days"),
        ({"extra_open_days": ["2026-10-03"]}, "extra_open_days"),
        (
            {"extra_open_days": ["2026-05-01"], "extra_closed_days": [{"day": "2026-05-01", "name": "May"}]},
            "extra_open_days",
        ),
    ],
)
async def test_what_makes_no_calendar_is_refused_by_its_field(
    client: Client, database: Database, wrong: dict[str, Any], field: str
) -> None:
    answer = await put_calendar(client, build_calendar(**wrong))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert await list_announced(database) == []


async def test_a_calendar_that_never_opens_is_refused(client: Client, database: Database) -> None:
    mondays = [date(2026, 6, 1) + timedelta(weeks=week) for week in range(52)]
    closed = [{"day": str(monday), "name": "Closed"} for monday in mondays]
    only_mondays = build_calendar(country=None, subdivision=None, hours={"monday": OFFICE})
    answer = await put_calendar(client, only_mondays | {"extra_closed_days": closed})
    assert (answer.status_code, answer.json()["code"]) == (422, "calendar_never_opens")
    assert await list_announced(database) == []
    assert (await put_calendar(client, only_mondays | {"extra_closed_days": closed[:51]})).status_code == 200


async def test_a_calendar_is_announced_anew_each_year(served: tuple[Runtime, Client], database: Database) -> None:
    runtime, client = served
    await put_calendar(client, build_calendar())
    await put_calendar(client, build_calendar(time_zone="Asia/Tokyo", country="JP", subdivision=None), "GS-FR")
    await database.move(datetime(2026, 12, 31, 14, tzinfo=UTC))
    await sweep(runtime)
    assert len(await list_announced(database)) == len(await list_announced(database, "GS-FR")) == 1
    await database.move(datetime(2026, 12, 31, 15, tzinfo=UTC))  # a new year in Tokyo
    await sweep(runtime)
    assert len(await list_announced(database)) == 1
    assert [event.covers_until.year for event in await list_announced(database, "GS-FR")] == [2031, 2032]
    await database.move(datetime(2028, 6, 1, tzinfo=UTC))  # the sweep did not run for long
    await sweep(runtime)
    former, announced = await list_announced(database)
    assert announced.covers_until == date(2033, 12, 31)
    assert {day.year for day in announced.closed_days} == set(range(2027, 2034))
    assert set(former.closed_days) & set(announced.closed_days) == {
        day for day in former.closed_days if day.year >= 2027
    }
    shown = await client.got(PATH.format("GS-DE"))
    assert (shown["version"], shown["covers_until"]) == (1, "2033-12-31")
    assert {holiday["day"][:4] for holiday in shown["holidays"]} == {"2028", "2029"}
    assert await database.value("SELECT count(*) FROM invoicing.audit_entries") == 2


async def test_who_keeps_settings_sets_it(client: Client, keys: SigningKeyPair) -> None:
    seller = Client(client.http, keys.token("invoicing", "invoicing:read invoicing:sales"), partial(keys.token))
    assert (await put_calendar(seller, build_calendar())).status_code == 403
    assert (await put_calendar(client, build_calendar(), "GS-NIL")).status_code == 404
    assert (await client.get(PATH.format("GS-NIL"))).status_code == 404
    assert (await put_calendar(client, build_calendar())).status_code == 200
    assert (await seller.got(PATH.format("GS-DE")))["changed_by"] == "operator"
