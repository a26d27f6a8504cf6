"""Disputes that come later than the policy says are questions: escalation beside invoicing and collections."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from deploy.local.tokens import SigningKeyPair
from services.escalation.use_cases import collections_answers
from shared.events.invoicing import BusinessCalendarChanged, InvoiceBalance, InvoiceIssued
from shared.process.runtime import Runtime
from tests.builders import Client, Database, account, build_registered, hear, invoice, running
from tests.component.collections.test_collections import STANDARD, publish
from tests.component.escalation.test_escalation import Door, World, opened_world

WHY = {"reason": "the customer was in hospital"}
WINDOW_DAYS = 10
WEST = "America/Los_Angeles"
"""Zone of the legal entity: its days end at 7:00 UTC."""
LAST_HOUR = datetime(2026, 3, 13, 6, tzinfo=UTC)
"""Still the tenth day after the issue date there."""


class Windows(NamedTuple):
    """Escalation with its ways to invoicing and to collections, whose policy has a window."""

    world: World
    to_collections: Door
    collections: Runtime

    async def dispute(self, invoice_id: str) -> dict[str, Any]:
        return await self.world.client.create("/v1/disputes", self.world.dispute(100) | {"invoice_id": invoice_id})

    async def issue(self) -> str:
        """Issue an invoice now, of which collections hears."""
        issued = await self.world.invoicing.create("/v1/invoices", invoice(self.world.account_id, 700, 300))
        fresh = await self.world.invoicing.got(f"/v1/invoices/{issued['id']}/balance")
        balance = InvoiceBalance.model_validate({name: fresh[name] for name in InvoiceBalance.model_fields})
        event = InvoiceIssued(
            account_id=UUID(self.world.account_id),
            issue_date=issued["issue_date"],
            external_reference=None,
            balance=balance,
        )
        await hear(self.collections, event)
        return str(issued["id"])


@pytest.fixture
async def windows(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Windows]:
    async with (
        opened_world(database, keys, jwks_file) as world,
        running("collections", database, keys, jwks_file) as (collections, client),
    ):
        door = Door(client)
        world.runtime.clients._clients["collections"] = door  # type: ignore[assignment]
        await publish(client, f"{STANDARD}\ndispute_window_days: {WINDOW_DAYS}\n", "2026-03-04")
        await publish(client, STANDARD, "2026-03-20")
        await hear(collections, build_registered(UUID(world.account_id)))
        yield Windows(world, door, collections)


async def tell_zone(windows: Windows, zone: str) -> None:
    """Let escalation hear in which zone the legal entity works, and whose account it is."""
    await hear(windows.world.runtime, build_registered(UUID(windows.world.account_id)))
    hours = [[(9 * 60, 17 * 60)]] * 5 + [[], []]
    calendar = {
        "legal_entity": "GS-DE",
        "time_zone": zone,
        "hours": hours,
        "closed_days": (),
        "covers_until": "2031-12-31",
    }
    await hear(windows.world.runtime, BusinessCalendarChanged.model_validate(calendar))


async def test_what_comes_after_the_window_is_a_question_until_it_is_admitted(windows: Windows) -> None:
    world = windows.world
    await tell_zone(windows, WEST)
    invoice_id = await windows.issue()
    await world.database.move(LAST_HOUR)
    assert (await windows.dispute(invoice_id))["state"] == "opened"
    await world.database.move(hours=1)
    late = await windows.dispute(invoice_id)
    assert (late["state"], late["question_cause"]) == ("question", "too_late")
    case = await world.client.got(f"/v1/cases/{late['case_id']}")
    assert (case["kind"], case["subject"]) == ("billing_question", "an invoice that is disputed too late")
    assert await read_reserved(world, invoice_id) == 100
    evident = world.dispute(100, new_evidence="the delivery note") | {"invoice_id": invoice_id}
    assert (await world.client.create("/v1/disputes", evident))["question_cause"] == "too_late"
    admitted = await world.client.create(f"/v1/disputes/{late['id']}:admit", WHY)
    assert (admitted["state"], await read_reserved(world, invoice_id)) == ("opened", 200)
    assert (await world.client.got(f"/v1/cases/{late['case_id']}"))["kind"] == "dispute"
    unlimited = world.invoice_id
    assert (await windows.dispute(unlimited))["state"] == "opened", "collections does not know it"


async def read_reserved(world: World, invoice_id: str) -> int:
    return int((await world.invoicing.got(f"/v1/invoices/{invoice_id}/balance"))["disputed_minor"])


async def test_nobody_is_late_where_nobody_can_say_so_or_the_policy_of_the_invoice_has_no_window(
    windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice_id = await windows.issue()
    await windows.world.database.move(days=20)
    windows.to_collections.shut = True
    assert (await windows.dispute(invoice_id))["state"] == "opened"
    windows.to_collections.shut = False
    monkeypatch.setattr(collections_answers, "PATIENCE_SECONDS", 0.0)
    assert (await windows.dispute(invoice_id))["state"] == "opened"
    monkeypatch.undo()
    assert (await windows.dispute(invoice_id))["state"] == "question"
    later = await windows.issue()
    await windows.world.database.move(days=20)
    assert (await windows.dispute(later))["state"] == "opened", "the version of its day has no limit"


async def amend(windows: Windows, dispute_id: str, *amounts: int) -> tuple[int, dict[str, Any]]:
    """Amend a dispute; the status of the answer, and the answer."""
    lines = [{"line": number, "amount_minor": minor} for number, minor in enumerate(amounts, 1)]
    answer = await windows.world.client.post(f"/v1/disputes/{dispute_id}:amend", WHY | {"lines": lines})
    return answer.status_code, answer.json()


async def test_more_is_not_added_once_the_window_is_over_and_less_always_is(windows: Windows) -> None:
    world = windows.world
    await tell_zone(windows, WEST)
    invoice_id = await windows.issue()
    await world.database.move(LAST_HOUR)
    dispute_id = (await windows.dispute(invoice_id))["id"]
    assert (await amend(windows, dispute_id, 200))[0] == 200
    await world.database.move(hours=1)
    for amounts, lines in (((201,), [1]), ((200, 1), [2])):
        status, refused = await amend(windows, dispute_id, *amounts)
        assert (status, refused["code"]) == (409, "addition_refused")
        assert (refused["question_cause"], refused["lines"]) == ("too_late", lines)
    assert await read_reserved(world, invoice_id) == 200
    assert (await amend(windows, dispute_id, 150))[1]["state"] == "done"
    assert await read_reserved(world, invoice_id) == 150


async def test_without_a_calendar_the_days_are_those_of_the_account(windows: Windows) -> None:
    world = windows.world
    world.account_id = (await world.invoicing.create("/v1/accounts", account(time_zone=WEST)))["id"]
    await hear(windows.collections, build_registered(UUID(world.account_id), time_zone=WEST))
    invoice_id = await windows.issue()
    await world.database.move(LAST_HOUR)
    assert (await windows.dispute(invoice_id))["state"] == "opened"
    await world.database.move(hours=1)
    assert (await windows.dispute(invoice_id))["question_cause"] == "too_late"


async def test_who_may_not_ask_does_not_take_everything_as_in_time(
    windows: Windows, keys: SigningKeyPair, capsys: pytest.CaptureFixture[str]
) -> None:
    invoice_id = await windows.issue()
    dispute_id = (await windows.dispute(invoice_id))["id"]
    allowed = windows.to_collections.client
    windows.to_collections.client = Client(allowed.http, keys.token("collections", "nothing:here", "escalation"))
    body = windows.world.dispute(100) | {"invoice_id": invoice_id}
    refused = await windows.world.client.post("/v1/disputes", body)
    assert (refused.status_code, refused.json()["code"]) == (503, "terms_unavailable")
    assert (await amend(windows, dispute_id, 200))[1]["code"] == "terms_unavailable"
    assert "escalation may not ask for terms" in capsys.readouterr().out
    windows.to_collections.client = allowed
    assert (await windows.dispute(invoice_id))["state"] == "opened"
