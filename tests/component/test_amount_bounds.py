"""Bounds of amounts: what could not be charged or added up is refused when it is asked for."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import Keys
from tests.builders import Database, invoice, running, sweep
from tests.component.billing_world import Billing

LARGEST = 9_000_000_000_000_000
"""The largest amount that a request may name, in minor units."""


@pytest.fixture
async def billing(database: Database, keys: Keys, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


def vendor(unit_cost_minor: int) -> dict[str, Any]:
    return {"unit_cost_minor": unit_cost_minor, "currency": "EUR"}


async def ask(billing: Billing, plan: str, owner: str, quantity: int) -> Any:
    """Ask for a subscription of so many."""
    body = {
        "account_id": owner,
        "quantity": quantity,
        "start": "2026-03-02",
        "vendor_customer_id": "tenant-17",
        "vendor_subscription_id": f"vendor-{uuid4()}",
    }
    return await billing.client.post(f"/v1/plans/{plan}/subscriptions", body)


@pytest.mark.parametrize("dear", ["price", "cost"])
async def test_a_cycle_costs_no_more_than_an_amount_may_be(billing: Billing, dear: str) -> None:
    price, cost = (LARGEST // 10, 1) if dear == "price" else (1, LARGEST // 10)
    version = {"prices": {"EUR": {"unit_price_minor": price}}, "vendor": vendor(cost)}
    plan, owner = await billing.plan(**version), await billing.account()
    refused = await ask(billing, plan, owner, 11)
    assert (refused.status_code, refused.json()["code"]) == (409, "change_refused")
    subscription = await billing.buy(plan, owner, 10)
    await sweep(billing.runtime)
    for when in ("now", "renewal"):
        body = {"kind": "quantity", "when": when, "reason": "asked for", "quantity": 11}
        refused = await billing.client.post(f"/v1/subscriptions/{subscription}/changes", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "change_refused")


async def test_the_lines_of_an_invoice_are_no_more_than_an_amount_may_be(billing: Billing) -> None:
    owner = await billing.account()
    refused = await billing.client.post("/v1/invoices", invoice(owner, LARGEST, 1))
    assert refused.status_code == 422
    assert (await billing.client.post("/v1/invoices", invoice(owner, LARGEST - 1, 1))).status_code == 201
