"""Invoicing on real Postgres, over its HTTP interface."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.process.runtime import Runtime
from tests.builders import Client, Database, account, eur, invoice, running, subscription, sweep

Service = tuple[Runtime, Client, Database]


@pytest.fixture
async def service(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Service]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield runtime, client, database


async def balance(client: Client, invoice_id: str) -> dict[str, Any]:
    return await client.got(f"/v1/invoices/{invoice_id}/balance")


async def events(database: Database) -> list[str]:
    rows = await database.rows("SELECT type FROM invoicing.outbox ORDER BY position")
    return [row["type"].split(".")[2] for row in rows]


async def test_a_payment_pays_the_oldest_first_and_the_rest_is_kept_and_used(service: Service) -> None:
    _, client, database = service
    owner = (await client.create("/v1/accounts", account()))["id"]
    newer = await client.create("/v1/invoices", invoice(owner, 3000, due_date="2026-05-01"))
    older = await client.create("/v1/invoices", invoice(owner, 2000, 500, due_date="2026-04-01"))
    paid = await client.create("/v1/payments", {"account_id": owner, "amount": eur(2600)})
    assert paid["unapplied_minor"] == 0
    assert (await balance(client, older["id"]))["open_minor"] == 0
    assert (await balance(client, newer["id"]))["open_minor"] == 2900
    over = await client.create("/v1/payments", {"account_id": owner, "amount": eur(4000), "invoice_id": newer["id"]})
    assert over["unapplied_minor"] == 1100
    last = await client.create("/v1/invoices", invoice(owner, 1500))
    assert (await balance(client, last["id"]))["open_minor"] == 400
    assert (await client.got(f"/v1/payments/{over['id']}"))["unapplied_minor"] == 0
    kinds = await events(database)
    assert kinds.count("InvoicePaid") == 2
    assert kinds.count("UnappliedCashUsed") == 1


async def test_a_reversal_reopens_the_debt_with_what_unapplied_cash_had_paid(service: Service) -> None:
    _, client, _ = service
    owner = (await client.create("/v1/accounts", account()))["id"]
    first = await client.create("/v1/invoices", invoice(owner, 1000))
    paid = await client.create("/v1/payments", {"account_id": owner, "amount": eur(1500)})
    second = await client.create("/v1/invoices", invoice(owner, 800))
    assert (await balance(client, second["id"]))["open_minor"] == 300
    back = await client.create(f"/v1/payments/{paid['id']}:reverse", {"reason": "debit returned"})
    assert (back["state"], back["unapplied_minor"]) == ("reversed", 0)
    assert (await balance(client, first["id"]))["open_minor"] == 1000
    assert (await balance(client, second["id"]))["open_minor"] == 800
    again = await client.post(f"/v1/payments/{paid['id']}:reverse", {"reason": "once more"})
    assert (again.status_code, again.json()["code"]) == (409, "already_reversed")


async def test_numbers_have_no_gap_though_issues_fail_in_between(service: Service) -> None:
    _, client, _ = service
    owner = (await client.create("/v1/accounts", account()))["id"]
    first = await client.create("/v1/invoices", invoice(owner, 100, external_reference="a"))
    assert (await client.post("/v1/invoices", invoice(owner, 100, external_reference="a"))).status_code == 409
    assert (await client.post("/v1/invoices", invoice(owner, 100, issue_date="2026-03-03"))).status_code == 422
    second = await client.create("/v1/invoices", invoice(owner, 100))
    assert [first["number"], second["number"]] == ["GS-DE-00000001", "GS-DE-00000002"]


async def test_overdue_at_midnight_after_the_due_date_and_not_while_disputed(service: Service) -> None:
    runtime, client, database = service
    owner = (await client.create("/v1/accounts", account(time_zone="Europe/Berlin")))["id"]
    plain = await client.create("/v1/invoices", invoice(owner, 1000, due_date="2026-03-10"))
    disputed = await client.create("/v1/invoices", invoice(owner, 1000, due_date="2026-03-10"))
    reservation = {
        "dispute_id": "01890000-0000-7000-8000-000000000001",
        "invoice_id": disputed["id"],
        "lines": [{"line": 1, "amount_minor": 1000}],
    }
    await client.create("/v1/reservations", reservation)
    await database.move(datetime(2026, 3, 10, 22, 59, tzinfo=UTC))
    await sweep(runtime)
    assert "InvoiceOverdue" not in await events(database)
    await database.move(datetime(2026, 3, 10, 23, 0, tzinfo=UTC))
    await sweep(runtime)
    overdue = await database.rows("SELECT data FROM invoicing.outbox WHERE type LIKE '%InvoiceOverdue%'")
    assert [plain["number"] in row["data"] for row in overdue] == [True]
    await database.move(days=3)
    await sweep(runtime)
    assert (await events(database)).count("InvoiceOverdue") == 1


async def test_sweeps_rest_while_the_clock_holds_them(service: Service) -> None:
    runtime, client, database = service
    owner = (await client.create("/v1/accounts", account()))["id"]
    await client.create("/v1/invoices", invoice(owner, 1000, due_date="2026-03-10"))
    await database.execute("UPDATE clock.clock SET sweeps_held = true")
    await database.move(datetime(2026, 3, 11, tzinfo=UTC))
    await sweep(runtime)
    assert "InvoiceOverdue" not in await events(database)
    await database.execute("UPDATE clock.clock SET sweeps_held = false")
    await sweep(runtime)
    assert "InvoiceOverdue" in await events(database)


async def test_what_is_disputed_is_neither_reserved_twice_nor_paid_by_unnamed_money(service: Service) -> None:
    _, client, _ = service
    owner = (await client.create("/v1/accounts", account()))["id"]
    issued = await client.create("/v1/invoices", invoice(owner, 1000))
    hold = {"dispute_id": "01890000-0000-7000-8000-000000000002", "invoice_id": issued["id"]}
    await client.create("/v1/reservations", hold | {"lines": [{"line": 1, "amount_minor": 700}]})
    more = {"dispute_id": "01890000-0000-7000-8000-000000000003", "invoice_id": issued["id"]}
    refused = await client.post("/v1/reservations", more | {"lines": [{"line": 1, "amount_minor": 301}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "amount_refused")
    paid = await client.create("/v1/payments", {"account_id": owner, "amount": eur(1000)})
    assert paid["unapplied_minor"] == 700
    after = await balance(client, issued["id"])
    assert (after["open_minor"], after["disputed_minor"]) == (700, 700)


async def test_an_issued_invoice_cannot_be_changed_by_the_service_itself(service: Service) -> None:
    _, client, database = service
    owner = (await client.create("/v1/accounts", account()))["id"]
    await client.create("/v1/invoices", invoice(owner, 1000))
    async with database.connected("invoicing") as connection:
        for statement in ("UPDATE invoices SET total_minor = 1", "DELETE FROM invoice_lines"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"description": "x", "amount": {"amount_minor": 0, "currency": "EUR"}}]}, "lines.0.amount"),
        ({"lines": [{"description": "x", "amount": {"amount_minor": 1.5, "currency": "EUR"}}]}, "lines.0.amount"),
        ({"lines": [{"description": "x", "amount": {"amount_minor": 1, "currency": "XYZ"}}]}, "lines.0.amount"),
        ({"due_date": "2026-02-30"}, "due_date"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_bad_input_names_its_field_and_changes_nothing(
    service: Service, change: dict[str, Any], field: str
) -> None:
    _, client, database = service
    owner = (await client.create("/v1/accounts", account()))["id"]
    answer = await client.post("/v1/invoices", invoice(owner, 100) | change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert any(error["field"].startswith(field) for error in answer.json()["errors"])
    assert await events(database) == ["AccountRegistered"]


async def test_a_subscription_of_another_account_is_refused(service: Service) -> None:
    _, client, _ = service
    owner = (await client.create("/v1/accounts", account()))["id"]
    other = (await client.create("/v1/accounts", account()))["id"]
    theirs = await client.create("/v1/subscriptions", subscription(other))
    answer = await client.post("/v1/invoices", invoice(owner, 100, subscription_id=theirs["id"]))
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_subscription")
