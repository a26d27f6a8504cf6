"""Vendor disputes: what we contest of a vendor invoice is on record, counts as owed, and is decided once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events import Event
from shared.events.escalation import VendorDisputeOpened, VendorDisputeResolved
from shared.events.invoicing import VendorDifferenceDecided
from tests import vendor_files
from tests.builders import Database, hear, sweep
from tests.component.escalation.test_escalation import World, opened_world
from tests.component.vendor_world import LONGEST_WAIT_SECONDS, WAITING
from tests.vendor_files import BilledLine, as_csv

PATH = "/v1/vendor-disputes"
FIVE = {"currency": "EUR", "contested_minor": 5}
NEAR = datetime(2026, 3, 20, tzinfo=UTC)
"""Five days before 25 March."""
WHY = {"reason": "the vendor's answer"}


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with opened_world(database, keys, jwks_file) as made:
        yield made


async def bill(world: World, *amounts: int) -> tuple[str, list[dict[str, Any]]]:
    """Let the vendor bill subscriptions that are nobody's; the invoice and its differences."""
    vendor = await vendor_files.world(world.invoicing, world.database, f"vendor-{uuid4()}")
    lines = [BilledLine(f"unknown-{number}", subtotal=minor) for number, minor in enumerate(amounts)]
    invoice_id = await vendor.record_invoice(lines, due_date="2026-06-07")
    sent = await vendor.put(invoice_id, as_csv(lines))
    assert sent.status_code == 201, sent.text
    return invoice_id, await vendor.differences(vendor_invoice_id=invoice_id)


def build_body(invoice_id: str, amount_minor: int, **more: Any) -> dict[str, Any]:
    item = {"reference": "line 2", "code": "quantity", "amount_minor": amount_minor}
    return {
        "vendor_invoice_id": invoice_id,
        "currency": "EUR",
        "items": [item | more.pop("item", {})],
        "reason_code": "quantity",
        "reason": "two seats were given back within seven days",
    } | more


async def pass_on(world: World, event: type[Event], service: str = "escalation") -> None:
    """Let the other service consume the last event of a type."""
    query = f"SELECT data FROM {service}.outbox WHERE type LIKE $1 ORDER BY position DESC LIMIT 1"
    content = await world.database.value(query, f"%.{event.__name__}.%")
    await hear(
        world.invoicing_runtime if service == "escalation" else world.runtime, event.model_validate_json(content)
    )


async def check_shown(world: World, invoice_id: str, before: dict[str, Any]) -> None:
    """Check that 25.00 are shown as contested, and owed and paid all the same as `before`."""
    after = await world.invoicing.got("/v1/exposure", **{"in": "EUR"})
    assert after.pop("vendor_contested") == [{"currency": "EUR", "contested_minor": 2500}]
    assert after["converted"].pop("vendor_contested") == {"contested_minor": 2500, "missing_currencies": []}
    del before["vendor_contested"], before["converted"]["vendor_contested"]
    assert after == before
    assert "vendor_contested" not in await world.invoicing.got(f"/v1/accounts/{world.account_id}/exposure")

    shown = await world.invoicing.got(f"/v1/vendor-invoices/{invoice_id}")
    assert (shown["contested_minor"], shown["state"], shown["due_date"]) == (2500, "received", "2026-06-07")
    assert shown["warn_at"] is not None
    assert [item["contested_minor"] for item in (await world.invoicing.got("/v1/vendor-invoices"))["items"]] == [2500]
    payment = {"amount_minor": 3700, "currency": "EUR", "paid_on": "2026-03-02", "reason": "paid in full"}
    paid = await world.invoicing.create(f"/v1/vendor-invoices/{invoice_id}:pay", payment)
    assert (paid["paid_minor"], paid["contested_minor"]) == (3700, 2500)
    assert (await world.invoicing.got("/v1/exposure"))["vendor_contested"] == []


async def test_what_is_contested_is_shown_and_still_owed(world: World) -> None:
    invoice_id, [difference, _] = await bill(world, 3000, 700)
    decision = {"decision": "dispute_with_vendor", "reason": "we never ordered it"}
    await world.invoicing.create(f"/v1/vendor-differences/{difference['id']}:decide", decision)
    await pass_on(world, VendorDifferenceDecided, "invoicing")
    [task] = (await world.client.got("/v1/cases", kind="task"))["items"]
    before = await world.invoicing.got("/v1/exposure", **{"in": "EUR"})
    assert (before["vendor_contested"], before["converted"]["vendor_contested"]["contested_minor"]) == ([], 0)

    more = {
        "item": {"difference_id": difference["id"]},
        "vendor_reference": "2604020010000417",
        "deadline": "2026-05-01",
    }
    opened = await world.client.create(PATH, build_body(invoice_id, 2500, **more))
    assert (opened["state"], opened["contested_minor"], opened["case_id"]) == ("open", 2500, task["id"])
    assert (opened["legal_entity"], opened["deadline"]) == ("GS-DE", "2026-05-01")
    await pass_on(world, VendorDisputeOpened)
    await check_shown(world, invoice_id, before)
    path = f"{PATH}/{opened['id']}"
    above = await world.client.post(f"{path}:accept", WHY | {"accepted_minor": 2501})
    assert (above.status_code, above.json()["code"]) == (422, "accepted_refused")
    ended = await world.client.create(f"{path}:accept", WHY | {"accepted_minor": 1000})
    assert (ended["state"], ended["accepted_minor"], ended["ended_by"]) == ("partly_accepted", 1000, "operator")
    await pass_on(world, VendorDisputeResolved)
    assert (await world.invoicing.got(f"/v1/vendor-invoices/{invoice_id}"))["contested_minor"] == 0
    assert (await world.client.post(f"{path}:withdraw", WHY)).json()["code"] == "move_refused"
    entries = (await world.client.got(f"/v1/cases/{task['id']}/entries"))["items"]
    states = [entry["details"]["state"] for entry in entries if "vendor_dispute" in entry["details"]]
    assert states == ["open", "partly_accepted"]
    words = "SELECT count(*) FROM escalation.outbox WHERE data::text ~ 'seats|answer|2604020010000417'"
    assert await world.database.value(words) == 0


async def test_the_customers_dispute_and_the_vendors_do_not_wait_for_each_other(world: World) -> None:
    dispute = await world.client.create("/v1/disputes", world.dispute(700))
    invoice_id, _ = await bill(world, 3000)
    opened = await world.client.create(PATH, build_body(invoice_id, 700, dispute_id=dispute["id"]))
    case = await world.client.got(f"/v1/cases/{opened['case_id']}")
    assert (case["kind"], case["queue"], case["account_id"]) == ("task", "vendor", world.account_id)
    assert [link["target_id"] for link in case["links"]] == [dispute["case_id"]]
    upheld = await world.client.create(f"/v1/disputes/{dispute['id']}:uphold", WHY)
    assert upheld["state"] == "upheld"
    for verb, state in (("reject", "rejected"), ("withdraw", "withdrawn")):
        body = build_body(invoice_id, 700, dispute_id=dispute["id"], case_id=opened["case_id"])
        other = await world.client.create(PATH, body)
        ended = await world.client.create(f"{PATH}/{other['id']}:{verb}", WHY)
        assert (ended["state"], ended["accepted_minor"], other["case_id"]) == (state, 0, opened["case_id"])
    for asked, count in (
        ({"dispute_id": dispute["id"]}, 3),
        ({"vendor_invoice_id": invoice_id}, 3),
        ({"vendor_invoice_id": str(uuid4())}, 0),
        ({"state": "open"}, 1),
    ):
        assert len((await world.client.got(PATH, **asked))["items"]) == count, asked
    page = await world.client.got(PATH, limit=2)
    rest = await world.client.got(PATH, limit=2, after=page["next"])
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    await world.client.create(f"/v1/cases/{opened['case_id']}:resolve", {"outcome": "done", **WHY})
    late = await world.client.post(PATH, build_body(invoice_id, 1, case_id=opened["case_id"]))
    assert (late.status_code, late.json()["code"]) == (409, "move_refused")


async def test_what_cannot_be_contested_is_refused(world: World) -> None:
    invoice_id, [difference, other] = await bill(world, 3000, 700)
    elsewhere, _ = await bill(world, 500)
    first = await world.client.create(PATH, build_body(invoice_id, 700, item={"difference_id": difference["id"]}))
    for body, status, code in (
        (build_body(invoice_id, 3001), 409, "contested_above_invoice"),
        (build_body(invoice_id, 1, item={"difference_id": difference["id"]}), 409, "already_contested"),
        (build_body(elsewhere, 1, item={"difference_id": other["id"]}), 422, "unknown_difference"),
        (build_body(invoice_id, 1, item={"difference_id": str(uuid4())}), 422, "unknown_difference"),
        (build_body(invoice_id, 1, currency="USD"), 422, "currency_mismatch"),
        (build_body(invoice_id, 1, item={"reference": None}), 422, "invalid"),
        (build_body(str(uuid4()), 1), 404, "not_found"),
        (build_body(invoice_id, 1, dispute_id=str(uuid4())), 404, "not_found"),
        (build_body(invoice_id, 1, case_id=str(uuid4())), 404, "not_found"),
    ):
        refused = await world.client.post(PATH, body)
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    await world.client.create(f"{PATH}/{first['id']}:accept", WHY | {"accepted_minor": 700})
    accepted = await world.client.post(PATH, build_body(invoice_id, 3001))
    assert accepted.json()["code"] == "contested_above_invoice"
    await world.client.create(PATH, build_body(invoice_id, 3000, item={"difference_id": difference["id"]}))
    world.door.shut = True
    away = await world.client.post(PATH, build_body(elsewhere, 1))
    assert (away.status_code, away.json()["code"]) == (503, "vendor_invoice_unavailable")


async def act_at_once(world: World, invoice_id: str, path: str, bodies: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Send requests about a vendor invoice, each of which has read what there is before the other one acts."""
    query = "SELECT FROM escalation.streams WHERE subject = $1 FOR UPDATE"
    async with world.database.connected() as holder, asyncio.TaskGroup() as group, holder.transaction():
        await holder.execute(query, invoice_id)
        sent = [group.create_task(world.client.post(path, body)) for body in bodies]
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while await world.database.value(WAITING) < len(bodies):  # noqa: ASYNC110  # the database says when
                await asyncio.sleep(0.01)
    return sorted((task.result().status_code, task.result().json().get("code", "")) for task in sent)


async def test_the_deadline_is_warned_of_once_and_moves_with_the_ticket(world: World) -> None:
    invoice_id, _ = await bill(world, 1000)
    contested = await world.client.create(PATH, build_body(invoice_id, 100, deadline="2026-03-20"))
    path = f"{PATH}/{contested['id']}"
    moved = {"ticket_id": None, "vendor_reference": "2604", "deadline": "2026-03-25"}
    shown = await world.client.create(f"{path}:set-ticket", moved)
    assert (shown["vendor_reference"], shown["deadline"]) == ("2604", "2026-03-25")
    for at, number in ((datetime(2026, 3, 19, 23, 59, tzinfo=UTC), 0), (NEAR, 1), (NEAR + timedelta(hours=2), 1)):
        await world.database.move(at)
        await sweep(world.runtime)
        assert (await world.events()).count("VendorDisputeDeadlineNear") == number, at
    await world.client.create(f"{path}:set-ticket", moved | {"vendor_reference": None})
    await sweep(world.runtime)
    assert (await world.events()).count("VendorDisputeDeadlineNear") == 1
    await world.client.create(f"{path}:set-ticket", moved | {"deadline": "2026-03-22"})
    await world.client.create(f"{path}:withdraw", WHY)
    await sweep(world.runtime)
    assert (await world.events()).count("VendorDisputeDeadlineNear") == 1, "nobody waits for what is withdrawn"
    late = await world.client.post(f"{path}:set-ticket", moved)
    assert (late.status_code, late.json()["code"]) == (409, "move_refused")
    other = await world.client.create(PATH, build_body(invoice_id, 100))
    unknown = await world.client.post(f"{PATH}/{other['id']}:set-ticket", moved | {"ticket_id": str(uuid4())})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_ticket")


async def test_of_two_at_once_the_second_is_refused(world: World) -> None:
    invoice_id, [difference] = await bill(world, 1000)
    opened = await world.client.create(PATH, build_body(invoice_id, 100, item={"difference_id": difference["id"]}))
    bodies = [build_body(invoice_id, 500), build_body(invoice_id, 450)]
    answers = await act_at_once(world, invoice_id, PATH, bodies)
    assert answers == [(201, ""), (409, "contested_above_invoice")]
    verdicts = [WHY | {"accepted_minor": minor} for minor in (100, 40)]
    answers = await act_at_once(world, invoice_id, f"{PATH}/{opened['id']}:accept", verdicts)
    assert answers == [(200, ""), (409, "move_refused")]
    assert (await world.events()).count("VendorDisputeResolved") == 1


async def test_invoicing_takes_what_is_contested_of_an_invoice_that_it_does_not_have(world: World) -> None:
    invoice_id, _ = await bill(world, 1000)
    for billed_id in (str(uuid4()), invoice_id):
        announced = {"vendor_dispute_id": uuid4(), "vendor_invoice_id": billed_id, **FIVE}
        opened = VendorDisputeOpened(**announced)
        resolved = VendorDisputeResolved(**announced, outcome="rejected", accepted_minor=0)
        for event, is_contested in ((opened, True), (resolved, False), (opened, False)):
            await hear(world.invoicing_runtime, event)
            shown = await world.invoicing.got("/v1/exposure")
            assert shown["vendor_contested"] == ([FIVE] if billed_id == invoice_id and is_contested else [])
    assert await world.database.value("SELECT count(*) FROM invoicing.contested_amounts WHERE ended_at IS NULL") == 0
