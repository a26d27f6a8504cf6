"""The vendor's clock of a first answer: by severity and language, by its own hours, whatever we wait for."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, hear, sweep
from tests.component.escalation.test_case_clocks import HOURS
from tests.component.vendor_support import Support, running_support

EVENING = datetime(2026, 3, 6, 17, tzinfo=UTC)
"""A Friday, an hour before the vendor's people go home."""


@pytest.fixture
async def support(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Support]:
    async with running_support(database, keys, jwks_file) as world:
        await database.move(EVENING)
        yield world


async def get_clock(support: Support, case_id: str) -> dict[str, Any]:
    clocks = (await support.client.got(f"/v1/cases/{case_id}/clocks"))["clocks"]
    (clock,) = [clock for clock in clocks if clock["whose"] == "vendor"]
    return dict(clock)


async def list_announced(support: Support) -> list[str]:
    return [event["type"] for event in await support.events("ResponseDeadline") if event["whose"] == "vendor"]


TARGETS = [
    ("technical", "A", "en", "2026-03-06T19:00:00Z"),
    ("technical", "B", "en", "2026-03-06T21:00:00Z"),
    ("technical", "C", "en", "2026-03-07T01:00:00Z"),
    ("technical", "A", "de", "2026-03-09T09:00:00Z"),
    ("billing_question", None, "en", "2026-03-09T17:00:00Z"),
]


async def test_it_runs_by_severity_and_language(support: Support) -> None:
    for number, (kind, severity, language, due_at) in enumerate(TARGETS):
        case_id = await support.open(kind=kind, severity=severity)
        await support.client.create(f"/v1/cases/{case_id}/handover:override", {"reason": "it burns"})
        await support.submit(case_id, str(number), language=language, no_line_reason="terms")
        assert (await get_clock(support, case_id))["due_at"] == due_at


async def test_it_is_announced_as_the_vendor_s_and_ends_with_its_first_answer(support: Support) -> None:
    late, answered, german = [await support.open(severity="A") for _ in range(3)]
    for number, case_id in enumerate((late, answered, german), 1):
        await support.client.create(f"/v1/cases/{case_id}/handover:override", {"reason": "it burns"})
        await support.submit(case_id, number=str(number), language="de" if case_id == german else "en")
    contact = {"channel": "phone", "about_outcome": False, "comment": "we have asked the vendor"}
    await support.client.create(f"/v1/cases/{late}/contacts", contact)
    await support.client.create(f"/v1/cases/{late}:start", {"reason": "asked the customer meanwhile"})
    await support.client.create(f"/v1/cases/{late}:wait", {"waiting_for": "customer", "reason": "for headers"})
    await hear(support.runtime, HOURS, sequence=9)
    await sweep(support.runtime)
    clocks = [await get_clock(support, case_id) for case_id in (late, answered, german)]
    assert [(clock["due_at"], clock["stopped_at"]) for clock in clocks] == [
        ("2026-03-06T19:00:00Z", None),
        ("2026-03-06T19:00:00Z", None),
        ("2026-03-09T09:00:00Z", None),
    ], "neither our hours nor our answer to the customer move it"
    await support.write("We look into it.", number="2")
    await support.step(minutes=30)
    assert (await get_clock(support, answered))["stopped_at"] == "2026-03-06T17:30:00Z"
    await support.step(minutes=30)
    assert await list_announced(support) == ["ResponseDeadlineNear"]
    await support.step(hours=1)
    assert await list_announced(support) == ["ResponseDeadlineNear", "ResponseDeadlineMissed"]
    await support.client.create(f"/v1/cases/{answered}:resolve", {"outcome": "works", "reason": "they say so"})
    await support.write("We look into it, too.", number="1")
    await support.step(hours=1)
    clock = await get_clock(support, late)
    assert (clock["missed_at"], clock["stopped_at"] is None) == ("2026-03-06T19:00:00Z", False)
    assert len(await list_announced(support)) == 2
