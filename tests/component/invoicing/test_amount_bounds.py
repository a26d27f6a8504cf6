"""Bounds of amounts: what could not be charged or added up is refused when it is asked for."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.process.service import load_service
from tests.builders import Database, invoice, running, sweep
from tests.component.billing_world import Billing

LARGEST = 9_000_000_000_000_000
"""The largest amount that a request may name, in minor units."""


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
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


MULTIPLY = """
WITH copies AS (SELECT gen_random_uuid() AS new_id, n FROM generate_series(1, 1100) AS n),
states AS (
    INSERT INTO invoicing.invoice_states SELECT (jsonb_populate_record(s, jsonb_build_object('invoice_id', new_id))).*
    FROM invoicing.invoice_states s, copies
),
balances AS (
    INSERT INTO invoicing.line_balances SELECT (jsonb_populate_record(b, jsonb_build_object('invoice_id', new_id))).*
    FROM invoicing.line_balances b, copies
),
lines AS (
    INSERT INTO invoicing.invoice_lines SELECT (jsonb_populate_record(l, jsonb_build_object('invoice_id', new_id))).*
    FROM invoicing.invoice_lines l, copies
),
entries AS (
    INSERT INTO invoicing.ledger_entries OVERRIDING SYSTEM VALUE
    SELECT (jsonb_populate_record(e, jsonb_build_object('id', e.id + 1000 * n, 'document_id', new_id))).*
    FROM invoicing.ledger_entries e, copies
)
INSERT INTO invoicing.invoices SELECT
    (jsonb_populate_record(i, jsonb_build_object('id', new_id, 'number', concat('GS-', n), 'external_reference', n))).*
FROM invoicing.invoices i, copies
"""


async def test_what_many_of_the_largest_amounts_come_to_is_told(billing: Billing) -> None:
    """1,101 × 9,000,000,000,000,000 is more than a 64-bit integer holds (9,223,372,036,854,775,807)."""
    owner = await billing.account()
    await billing.client.create("/v1/invoices", invoice(owner, LARGEST))
    await billing.database.execute(
        f"SET session_replication_role TO replica; {MULTIPLY}; RESET session_replication_role"
    )
    total = 1_101 * LARGEST
    assert total > 2**63
    exposure = await billing.client.got("/v1/exposure")
    assert exposure["owed_to_us"][0]["open_minor"] == total
    balance = await billing.client.got("/v1/ledger/GS-DE/trial-balance")
    assert {row["code"]: row["balance_minor"] for row in balance["items"]} == {"receivables": total, "revenue": -total}
    for figure in load_service("invoicing").figures:
        async with billing.runtime.units._engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            await raw.fetch(figure.query, billing.database.now)
