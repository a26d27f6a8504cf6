"""Service health is looked at by itself: cases that fit an incident are linked, and asked about after its end."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, build_registered, hear, sweep
from tests.component.entitlements_world import Break, refusal
from tests.component.vendor_support import CHANNEL, Support, running_support

INCIDENT = {"title": "Mail is late", "services": ["Exchange Online"], "regions": ["Europe"]}
FOREIGN = UUID(int=92)


@pytest.fixture
async def support(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Support]:
    async with running_support(database, keys, jwks_file) as world:
        await watch(world, True)
        yield world


async def watch(support: Support, wanted: bool) -> None:
    channel = CHANNEL | {"watches_health": wanted}
    put = support.client.http.put("/v1/vendor-channels/GS-DE", json=channel, headers=support.client.headers)
    assert (await put).json()["watches_health"] is wanted


async def put_incident(support: Support, **fields: Any) -> None:
    answer = await support.portal.put("/sandbox/incidents/EX25194", json=INCIDENT | fields)
    assert answer.status_code == 200, answer.text


async def list_checks(support: Support, case_id: str) -> list[tuple[str | None, str]]:
    page = await support.client.got(f"/v1/cases/{case_id}/entries", kind="health_check")
    return [(entry["actor"], entry["details"]["result"]) for entry in page["items"]]


async def test_a_case_that_fits_is_linked_and_asked_about_when_the_incident_has_ended(support: Support) -> None:
    await hear(support.runtime, build_registered(FOREIGN, legal_entity="GS-FR"))
    await sweep(support.runtime)
    case_id, solved = [await support.open(product="exchange online") for _ in range(2)]
    others = [
        await support.open(product="SharePoint"),
        await support.open(kind="billing_question", severity=None, product="Exchange Online"),
        await support.open(product="Exchange Online", account_id=str(FOREIGN)),
    ]
    await put_incident(support, updates=[{"text": "We look."}, {"text": "We found the cause."}])
    await support.step(minutes=15)
    await support.step(minutes=15)
    assert await list_checks(support, case_id) == [(None, "incident")]
    assert [await list_checks(support, other) for other in others] == [[], [], []]
    (shown,) = (await support.client.got(f"/v1/cases/{case_id}/incidents"))["items"]
    assert (shown["reference"], shown["content"], shown["asked_at"]) == ("EX25194", "We found the cause.", None)
    missing = [item["code"] for item in (await support.client.got(f"/v1/cases/{case_id}/handover"))["missing"]]
    assert "incident_end" in missing
    await support.client.create(f"/v1/cases/{solved}:resolve", {"outcome": "it works", "reason": "they say so"})
    await support.client.create(f"/v1/cases/{case_id}:start", {"reason": "begun"})
    await support.client.create(f"/v1/cases/{case_id}:wait", {"waiting_for": "vendor", "reason": "the incident"})
    await put_incident(support, status="resolved", endDate="2026-03-02T09:40:00.1234567Z")
    await support.step(minutes=15)
    await support.step(minutes=15)
    assert await list_checks(support, case_id) == [(None, "incident"), (None, "incident_over")]
    assert await list_checks(support, solved) == [(None, "incident")], "what is resolved is not asked about"
    assert await support.state(case_id) == "in_progress"
    assert (await support.client.got(f"/v1/cases/{case_id}"))["next_deadline_at"] is not None
    missing = [item["code"] for item in (await support.client.got(f"/v1/cases/{case_id}/handover"))["missing"]]
    assert missing == ["attempt", "consulted_resource", "category"], "the way to the vendor is open"
    (incident,) = (await support.client.got("/v1/incidents", status="resolved"))["items"]
    assert (incident["ended_at"], incident["began_at"]) == ("2026-03-02T09:40:00.123456Z", None)
    assert (await support.client.got("/v1/incidents", status="active"))["items"] == []


async def test_a_page_that_is_away_is_asked_again_and_one_that_is_not_shown_once_a_day(support: Support) -> None:
    case_id = await support.open(product="Exchange Online")
    await put_incident(support)
    nonsense = httpx2.Response(200, json={"items": [{"id": 1}]})
    faults: list[Break] = [refusal(503, 503), "before", nonsense]
    support.wire.faults = faults
    await support.step()
    for minutes in (1, 5):
        await support.step(minutes=minutes)
    assert await list_checks(support, case_id) == []
    await support.step(minutes=15)
    await sweep(support.runtime)
    assert await list_checks(support, case_id) == [(None, "incident")]
    support.wire.faults = [refusal(404, 404)]
    await support.step(minutes=15)
    await support.step(minutes=15)
    calls = len(support.wire.methods)
    await support.step(hours=12)
    assert len(support.wire.methods) == calls
    await support.step(hours=12)
    assert len(support.wire.methods) == calls + 1
    await watch(support, False)
    await support.step(days=2)
    assert len(support.wire.methods) == calls + 1
