"""Service credits: asked for in time and with evidence, warned of once, and matched on both sides."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.invoicing import VendorCredit, VendorCreditReceived
from tests.builders import Database, account, hear, invoice, sweep
from tests.component.escalation.test_escalation import World, opened_world

WHY = {"reason": "the vendor's answer"}
WANTED = ("tenant_id", "incident_id", "proof_of_impact", "written_claim")


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with opened_world(database, keys, jwks_file) as made:
        yield made


async def open_credit(world: World, **more: Any) -> dict[str, Any]:
    """Open a credit for an incident of March 2026, whose last day is 30 April."""
    body = {
        "account_id": world.account_id,
        "type_code": "service_level",
        "counts_since": "2026-03-17",
        "currency": "EUR",
        "expected_minor": 2520,
    }
    opened: dict[str, Any] = await world.client.create("/v1/service-credits", body | more)
    return opened


async def gather(world: World, path: str) -> None:
    for code in WANTED:
        await world.client.create(f"{path}/evidence", {"code": code, "content": f"the {code}"})


async def list_events(world: World) -> list[dict[str, Any]]:
    query = "SELECT type, data FROM escalation.outbox WHERE type LIKE '%ServiceCredit%' ORDER BY position"
    return [{"type": row["type"].split(".")[2]} | orjson.loads(row["data"]) for row in await world.database.rows(query)]


async def test_the_vendor_is_asked_with_all_that_it_wants_to_see(world: World) -> None:
    credit = await open_credit(world)
    path = f"/v1/service-credits/{credit['id']}"
    assert (credit["last_day"], credit["missing"]) == ("2026-04-30", list(WANTED))
    assert (await world.client.got(f"/v1/cases/{credit['case_id']}"))["kind"] == "service_credit"
    await world.client.create(f"{path}/evidence", {"code": "incident_id", "content": "EX25194"})
    refused = await world.client.post(f"{path}:request", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "evidence_missing")
    assert refused.json()["missing"] == ["tenant_id", "proof_of_impact", "written_claim"]
    unknown = await world.client.post(f"{path}/evidence", {"code": "order", "content": "none"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_evidence")
    await gather(world, path)
    requested = await world.client.create(f"{path}:request", {"vendor_reference": "2604020010000417"})
    assert (requested["state"], requested["missing"]) == ("requested", [])
    assert (await world.client.post(f"{path}/evidence", {"code": "incident_id", "content": "x"})).status_code == 409
    words = "SELECT count(*) FROM escalation.outbox WHERE data::text LIKE '%EX25194%'"
    assert await world.database.value(words) == 0


async def test_a_draft_is_warned_of_once_and_lapses_at_the_end_of_its_last_day(world: World) -> None:
    credit = await open_credit(world)
    path = f"/v1/service-credits/{credit['id']}"
    await gather(world, path)
    for at, types in (
        (datetime(2026, 4, 23, 23, 59, tzinfo=UTC), []),
        (datetime(2026, 4, 24, tzinfo=UTC), ["ServiceCreditDeadlineNear"]),
        (datetime(2026, 4, 30, 23, 59, tzinfo=UTC), ["ServiceCreditDeadlineNear"]),
        (datetime(2026, 5, 1, tzinfo=UTC), ["ServiceCreditDeadlineNear", "ServiceCreditLapsed"]),
    ):
        await world.database.move(at)
        await sweep(world.runtime)
        events = await list_events(world)
        assert [event["type"] for event in events] == types, at
    assert {event["last_day"] for event in events} == {"2026-04-30"}
    assert (await world.client.got(path))["state"] == "lapsed"
    assert (await world.client.post(f"{path}:request", {})).json()["code"] == "move_refused"


async def test_too_late_is_too_late_before_any_sweep(world: World) -> None:
    path = f"/v1/service-credits/{(await open_credit(world))['id']}"
    await gather(world, path)
    await world.database.move(datetime(2026, 5, 1, tzinfo=UTC))
    refused = await world.client.post(f"{path}:request", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "too_late_for_vendor")


async def test_what_was_requested_is_neither_warned_of_nor_lapses(world: World) -> None:
    path = f"/v1/service-credits/{(await open_credit(world))['id']}"
    await gather(world, path)
    await world.client.create(f"{path}:request", {})
    await world.database.move(datetime(2026, 6, 1, tzinfo=UTC))
    await sweep(world.runtime)
    assert await list_events(world) == []
    assert (await world.client.got("/v1/failed-work"))["items"] == []
    assert (await world.client.got(path))["state"] == "requested"


async def receive_credits(world: World, invoice_id: UUID, *amounts: int, currency: str = "EUR") -> list[str]:
    """Let escalation hear what the vendor credits on an invoice; the ids."""
    credits = tuple(
        VendorCredit(
            difference_id=uuid4(), vendor_customer_id="tenant-17", vendor_subscription_id=None, amount_minor=minor
        )
        for minor in amounts
    )
    received = VendorCreditReceived(
        vendor_invoice_id=invoice_id, reconciliation_id=uuid4(), currency=currency, credits=credits
    )
    await hear(world.runtime, received)
    return [str(credit.difference_id) for credit in credits]


async def credit_customer(world: World, account_id: str, invoice_id: str) -> dict[str, Any]:
    """Credit a customer 5.00 for the first line of an invoice; the credit note."""
    lines = [{"line": 1, "amount_minor": 500}]
    credit = {"invoice_id": invoice_id, "lines": lines, "reason_code": "goodwill", **WHY}
    await world.invoicing.create("/v1/credit-notes", credit)
    [note] = (await world.invoicing.got(f"/v1/credit-notes?account_id={account_id}"))["items"]
    return dict(note)


async def test_both_sides_are_matched_and_the_difference_is_shown(world: World) -> None:
    path = f"/v1/service-credits/{(await open_credit(world))['id']}"
    await gather(world, path)
    early = await receive_credits(world, uuid4(), 1)
    assert (await world.client.post(f"{path}:match", {"difference_id": early[0]})).json()["code"] == "move_refused"
    await world.client.create(f"{path}:request", {})
    granted = await world.client.create(f"{path}:grant", WHY | {"granted_minor": 2000})
    assert (granted["state"], granted["difference_minor"]) == ("granted", 2000)
    billed, foreign = (
        await receive_credits(world, uuid4(), 1500, 300),
        await receive_credits(world, uuid4(), 7, currency="USD"),
    )
    refused = await world.client.post(f"{path}:match", {"difference_id": foreign[0]})
    assert (refused.status_code, refused.json()["code"]) == (409, "other_currency")
    for difference_id in billed:
        matched = await world.client.create(f"{path}:match", {"difference_id": difference_id})
    assert (matched["vendor_credited_minor"], matched["difference_minor"]) == (1800, 1800)
    unmatched = (await world.client.got("/v1/vendor-credits?is_matched=false"))["items"]
    assert {item["difference_id"] for item in unmatched} == {*early, *foreign}
    note = await credit_customer(world, world.account_id, world.invoice_id)
    passed_on = await world.client.create(f"{path}:pass-on", {"credit_note_id": note["id"]})
    assert (passed_on["credit_note_number"], passed_on["credited_minor"]) == (note["number"], 500)
    assert passed_on["difference_minor"] == 1300
    await check_replacing(world, path, note)


async def check_replacing(world: World, path: str, former: dict[str, Any]) -> None:
    """Check that another credit note takes the place of the former one only if somebody says so."""
    lines = [{"line": 1, "amount_minor": 100}]
    credit = {"invoice_id": world.invoice_id, "lines": lines, "reason_code": "goodwill", **WHY}
    decided = await world.invoicing.create("/v1/credit-notes", credit)
    other = await world.invoicing.got(f"/v1/credit-notes/{decided['credit_note_id']}")
    again = await world.client.create(f"{path}:pass-on", {"credit_note_id": former["id"]})
    assert again["credited_minor"] == 500
    refused = await world.client.post(f"{path}:pass-on", {"credit_note_id": other["id"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "passed_on_before")
    assert refused.json()["credit_note_id"] == former["id"]
    replaced = await world.client.create(f"{path}:pass-on", {"credit_note_id": other["id"], "replace": True})
    assert (replaced["credit_note_number"], replaced["credited_minor"]) == (other["number"], 100)


async def test_one_credit_answers_one_request(world: World) -> None:
    paths = [f"/v1/service-credits/{(await open_credit(world, type_code='vendor_error'))['id']}" for _ in range(2)]
    for path in paths:
        await world.client.create(f"{path}/evidence", {"code": "ticket", "content": "2604020010000417"})
        await world.client.create(f"{path}:request", {})
    [difference_id] = await receive_credits(world, uuid4(), 100)
    await world.client.create(f"{paths[0]}:match", {"difference_id": difference_id})
    refused = await world.client.post(f"{paths[1]}:match", {"difference_id": difference_id})
    assert (refused.status_code, refused.json()["code"]) == (409, "already_matched")


async def test_another_file_drops_the_credits_that_nobody_has_matched(world: World) -> None:
    invoice_id = uuid4()
    await receive_credits(world, invoice_id, 100, 200)
    kept = await receive_credits(world, invoice_id, 300)
    assert [item["difference_id"] for item in (await world.client.got("/v1/vendor-credits"))["items"]] == kept
    await receive_credits(world, invoice_id)
    assert (await world.client.got("/v1/vendor-credits"))["items"] == []


async def test_a_credit_that_no_customer_gets_is_set_aside_and_taken_back(world: World) -> None:
    path = f"/v1/service-credits/{(await open_credit(world))['id']}"
    await gather(world, path)
    await world.client.create(f"{path}:request", {})
    ours, theirs = await receive_credits(world, uuid4(), 100, 200)
    aside = await world.client.create(f"/v1/vendor-credits/{ours}:set-aside", WHY)
    assert aside["set_aside_reason"] == WHY["reason"]
    unmatched = (await world.client.got("/v1/vendor-credits?is_matched=false"))["items"]
    assert [item["difference_id"] for item in unmatched] == [theirs]
    await world.client.create(f"{path}:match", {"difference_id": theirs})
    for refused_path, body, code in (
        (f"{path}:match", {"difference_id": ours}, "set_aside"),
        (f"/v1/vendor-credits/{ours}:set-aside", WHY, "set_aside"),
        (f"/v1/vendor-credits/{theirs}:set-aside", WHY, "already_matched"),
        (f"/v1/vendor-credits/{theirs}:restore", {}, "move_refused"),
    ):
        refused = await world.client.post(refused_path, body)
        assert (refused.status_code, refused.json()["code"]) == (409, code), refused_path
    restored = await world.client.create(f"/v1/vendor-credits/{ours}:restore", {})
    assert (restored["set_aside_by"], restored["set_aside_at"], restored["set_aside_reason"]) == (None, None, None)
    await world.client.create(f"{path}:match", {"difference_id": ours})


async def test_a_credit_note_of_somebody_else_or_none_is_refused(world: World) -> None:
    path = f"/v1/service-credits/{(await open_credit(world))['id']}"
    other = (await world.invoicing.create("/v1/accounts", account()))["id"]
    issued = (await world.invoicing.create("/v1/invoices", invoice(other, 1000)))["id"]
    note = await credit_customer(world, other, issued)
    for credit_note_id, status, code in ((note["id"], 409, "other_customer"), (str(uuid4()), 404, "not_found")):
        refused = await world.client.post(f"{path}:pass-on", {"credit_note_id": credit_note_id})
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    world.door.shut = True
    away = await world.client.post(f"{path}:pass-on", {"credit_note_id": note["id"]})
    assert (away.status_code, away.json()["code"]) == (503, "credit_note_unavailable")


async def test_a_credit_note_that_cannot_be_read_is_unavailable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer_less(path: str) -> Any:
        return {"number": "GS-DE-C-1", "currency": "EUR", "total_minor": 100}

    path = f"/v1/service-credits/{(await open_credit(world))['id']}"
    monkeypatch.setattr(world.door, "get", answer_less)
    away = await world.client.post(f"{path}:pass-on", {"credit_note_id": str(uuid4())})
    assert (away.status_code, away.json()["code"]) == (503, "credit_note_unavailable")
    assert away.json()["detail"] == "the answer is no CreditedTotal: account_id (missing)"
