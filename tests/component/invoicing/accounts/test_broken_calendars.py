"""Calendars by which nothing can be computed: the former one of a legal entity holds, and no case breaks."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.invoicing import BusinessCalendarChanged
from shared.process.runtime import Runtime
from shared.pure.business_time import MAX_SPAN_DAYS
from tests.builders import START, Client, Database, build_registered, hear, running, sweep

ACCOUNT = UUID(int=61)
CASE = {"kind": "billing_question", "account_id": str(ACCOUNT), "subject": "What is line 3?"}
OFFICE = ((540, 1020),)
CALENDAR = {"legal_entity": "GS-DE", "time_zone": "UTC", "closed_days": (), "covers_until": date(2030, 12, 31)}
YEARS = tuple(date(2026, 1, 1) + timedelta(days=number) for number in range(1800))
Service = tuple[Runtime, Client, Database]


@pytest.fixture
async def service(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Service]:
    async with running("escalation", database, keys, jwks_file) as (runtime, client):
        await hear(runtime, build_registered(ACCOUNT))
        await hear(runtime, BusinessCalendarChanged(hours=(OFFICE,) * 7, **CALENDAR))
        await sweep(runtime)
        yield runtime, client, database


async def read_first(client: Client, case_id: str) -> Any:
    return next(clock["due_at"] for clock in (await client.got(f"/v1/cases/{case_id}/clocks"))["clocks"])


@pytest.mark.parametrize(
    "broken",
    [
        {"time_zone": "Mars/Olympus", "hours": (OFFICE,) * 7},
        {"time_zone": "../../etc/passwd", "hours": (OFFICE,) * 7},
        {"hours": ((),) * 7},
        {"hours": (((600, 540),),) * 7},
        {"hours": (((600, 10**12),),) * 7},
        {"hours": (OFFICE,) * 7, "closed_days": YEARS},
    ],
    ids=["zone", "path", "empty", "backwards", "huge", "closed"],
)
async def test_a_broken_calendar_is_not_taken(service: Service, broken: dict[str, Any]) -> None:
    runtime, client, database = service
    case_id = (await client.create("/v1/cases", CASE))["id"]
    due_at = await read_first(client, case_id)
    with pytest.raises((ValueError, KeyError)):
        await hear(runtime, BusinessCalendarChanged(**(CALENDAR | broken)), sequence=2)
    await sweep(runtime)
    assert await read_first(client, case_id) == await read_first(client, (await client.create("/v1/cases", CASE))["id"])
    assert await read_first(client, case_id) == due_at
    assert await database.rows("SELECT * FROM escalation.failed_work") == []


async def test_a_year_of_minutes_in_a_minute_a_week_is_due_after_ten_years(service: Service) -> None:
    runtime, client, _ = service
    await hear(runtime, BusinessCalendarChanged(hours=(((540, 541),), *[()] * 6), **CALENDAR), sequence=2)
    path, target = "/v1/response-targets/standard/billing_question/none/first", {"minutes": 525_600, "reason": "slow"}
    answer = await client.http.put(path, json=target, headers=client.headers)
    assert answer.status_code == 200, answer.text
    due_at = await read_first(client, (await client.create("/v1/cases", CASE))["id"])
    assert due_at == (START + timedelta(days=MAX_SPAN_DAYS)).isoformat().replace("+00:00", "Z")
