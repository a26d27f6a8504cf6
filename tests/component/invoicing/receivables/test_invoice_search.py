"""Invoices are found by what people ask for, and read whole: lines, where they stand, what paid them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, eur, invoice, running, sweep
from tests.component.billing_world import Billing


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def find_numbers(client: Client, query: str) -> list[str]:
    """List the numbers of the invoices that a query finds, without their entity."""
    items = (await client.got(f"/v1/invoices?{query}"))["items"]
    return [item["number"].rpartition("-")[2].lstrip("0") for item in items]


async def register(client: Client, **more: Any) -> str:
    """Register an account; its id."""
    return str((await client.create("/v1/accounts", account(**more)))["id"])


async def issue(client: Client, owner: str, amount: int, **more: Any) -> dict[str, Any]:
    """Issue an invoice of one line."""
    return await client.create("/v1/invoices", invoice(owner, amount, **more))


async def test_each_filter_finds_what_it_says_and_all_together_too(billing: Billing) -> None:
    """Three of one account: paid on the 5th, overdue since the 21st, due later; one of another entity."""
    client = billing.client
    await billing.database.move(datetime(2026, 3, 2, 9, tzinfo=UTC))
    owner = await register(client)
    other = await register(client, legal_entity="GS-AT")
    paid = await issue(client, owner, 100, due_date="2026-03-10", external_reference="order-1")
    await issue(client, owner, 200, due_date="2026-03-20", external_reference="order-2")
    await issue(client, owner, 300, due_date="2026-04-20")
    await issue(client, other, 400, due_date="2026-04-20")
    await billing.database.move(datetime(2026, 3, 5, 9, tzinfo=UTC))
    await client.create("/v1/payments", {"account_id": owner, "amount": eur(100), "invoice_id": paid["id"]})
    await billing.database.move(datetime(2026, 3, 21, 9, tzinfo=UTC))
    await sweep(billing.runtime)
    of_owner = f"account_id={owner}"
    assert await find_numbers(client, of_owner) == ["1", "2", "3"]
    assert await find_numbers(client, f"number={paid['number']}") == ["1"]
    assert await find_numbers(client, f"number={paid['number']}&legal_entity=GS-AT") == []
    assert await find_numbers(client, "external_reference=order-2") == ["2"]
    assert await find_numbers(client, "legal_entity=GS-AT") == ["1"]
    assert await find_numbers(client, "legal_entity=GS-DE&state=closed") == ["1"]
    assert await find_numbers(client, "state=overdue") == ["2"]
    assert await find_numbers(client, f"state=open&{of_owner}") == ["3"]
    assert await find_numbers(client, f"due_from=2026-03-20&due_to=2026-03-20&{of_owner}") == ["2"]
    since = quote("2026-03-05T09:00:00+00:00")
    assert await find_numbers(client, f"updated_since={since}") == ["1"]
    assert await find_numbers(client, f"{of_owner}&state=overdue&due_to=2026-03-19") == []
    assert await find_numbers(client, "number=rubbish") == []


async def test_pages_go_on_where_the_one_before_ended(billing: Billing) -> None:
    owner = await register(billing.client)
    for amount in (100, 200, 300):
        await issue(billing.client, owner, amount)
    page = await billing.client.got("/v1/invoices?legal_entity=GS-DE&state=open&limit=2")
    assert [item["total_minor"] for item in page["items"]] == [100, 200]
    rest = await billing.client.got(f"/v1/invoices?legal_entity=GS-DE&state=open&limit=2&after={page['next']}")
    assert ([item["total_minor"] for item in rest["items"]], rest["next"]) == ([300], None)


async def test_a_billed_invoice_has_period_quantity_price_net_and_tax_of_its_lines(billing: Billing) -> None:
    """Ten seats at 10.08 for a month from 2 March: 100.80 and 19 % of it, 19.15."""
    await billing.rate(1900)
    await billing.to("2026-03-02")
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(), owner)
    await billing.run()
    (listed,) = (await billing.client.got(f"/v1/invoices?account_id={owner}"))["items"]
    whole = await billing.client.got(f"/v1/invoices/{listed['id']}")
    (line,) = whole["lines"]
    assert {name: line[name] for name in ("period_from", "period_to", "quantity", "unit_price_minor")} == {
        "period_from": "2026-03-02",
        "period_to": "2026-04-02",
        "quantity": 10,
        "unit_price_minor": 1008,
    }
    assert (line["net_minor"], line["tax_minor"], line["tax_rate_bp"], line["amount_minor"]) == (
        10080,
        1915,
        1900,
        11995,
    )
    assert line["subscription_id"] == subscription
    assert (whole["net_minor"], whole["tax_minor"], whole["total_minor"], whole["open_minor"]) == (
        10080,
        1915,
        11995,
        11995,
    )
    assert (whole["state"], whole["allocations"]) == ("open", [])


async def test_an_invoice_and_a_payment_show_each_other(billing: Billing) -> None:
    owner = await register(billing.client)
    owed = await billing.client.create("/v1/invoices", invoice(owner, 100, 200))
    body = {"account_id": owner, "amount": eur(250), "invoice_id": owed["id"]}
    payment = await billing.client.create("/v1/payments", body)
    read = await billing.client.got(f"/v1/payments/{payment['id']}")
    shown = (await billing.client.got(f"/v1/invoices/{owed['id']}"))["allocations"]
    assert read["allocations"] == shown
    assert [(part["line"], part["amount_minor"], part["reversed_at"]) for part in shown] == [
        (1, 100, None),
        (2, 150, None),
    ]
    assert {part["number"] for part in shown} == {owed["number"]}
    await billing.client.post(f"/v1/payments/{payment['id']}:reverse", {"reason": "returned"})
    reversed_parts = (await billing.client.got(f"/v1/invoices/{owed['id']}"))["allocations"]
    assert all(part["reversed_at"] is not None for part in reversed_parts)
