"""Bill runs on real Postgres, over REST: what is due becomes invoices, once."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from deploy.local.tokens import Keys
from shared.events.invoicing import InvoiceIssued
from tests.builders import Database, running
from tests.component.billing_world import Billing


@pytest.fixture
async def billing(database: Database, keys: Keys, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def test_a_subscription_is_billed_with_tax_and_announced(billing: Billing) -> None:
    await billing.rate()
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(), owner)
    run = await billing.run()
    assert (run["state"], run["accounts"]) == ("done", {"issued": 1})
    assert run["totals"] == [{"currency": "EUR", "invoices": 1, "total_minor": 11_995}]
    assert await billing.lines(owner) == [(10_080, 1_915, 11_995)]
    (invoice,) = (await billing.client.got("/v1/invoices", account_id=owner))["items"]
    assert (invoice["number"], invoice["issue_date"], invoice["due_date"]) == (
        "GS-DE-00000001",
        "2026-03-02",
        "2026-04-01",
    )
    told = await billing.database.rows(
        "SELECT data, headers FROM invoicing.outbox WHERE type = $1", InvoiceIssued.type()
    )
    event = InvoiceIssued.model_validate_json(told[0]["data"])
    asked = await billing.client.got(f"/v1/invoices/{invoice['id']}/balance")
    assert (event.balance.total_minor, event.balance.open_minor, len(event.balance.lines)) == (11_995, 11_995, 1)
    assert event.balance.lines[0].subscription_id == UUID(subscription)
    assert event.model_dump_json() == orjson.dumps(orjson.loads(told[0]["data"])).decode()
    assert asked["sequence"] == int(orjson.loads(told[0]["headers"])["ce_sequence"])
    assert asked["open_minor"] == 11_995


async def test_the_ledger_has_both_sides(billing: Billing) -> None:
    await billing.rate()
    await billing.buy(await billing.plan(), await billing.account())
    await billing.run()
    assert await billing.trial_balance() == {
        ("receivables", "EUR"): 11_995,
        ("deferred_revenue", "EUR"): -10_080,
        ("tax", "EUR"): -1_915,
        ("vendor_cost", "USD"): 8_200,
        ("vendor_payable", "USD"): -8_200,
    }


async def test_run_again_it_does_nothing(billing: Billing) -> None:
    await billing.rate()
    owner = await billing.account()
    await billing.buy(await billing.plan(), owner)
    await billing.run()
    again = await billing.run()
    assert (again["state"], again["accounts"], again["totals"]) == ("done", {}, [])
    assert len(await billing.lines(owner)) == 1


async def test_a_change_is_a_reversal_and_a_charge_on_the_next_invoice(billing: Billing) -> None:
    """The vector of the programme: 10.08 for 30 days; with 28 days left 10 become 12."""
    owner = await billing.account(tax_status="exempt")
    subscription = await billing.buy(await billing.plan(), owner, start="2026-04-01")
    await billing.to("2026-04-01")
    await billing.run()
    await billing.to("2026-04-03")
    await billing.change(subscription, "quantity", quantity=12)
    await billing.run()
    assert await billing.lines(owner) == [(10_080, 0, 10_080), (-9_408, 0, None), (11_289, 0, 1_881)]
    await billing.change(subscription, "quantity", quantity=11)
    run = await billing.run()
    assert run["accounts"] == {"nothing": 1}
    await billing.to("2026-05-01")
    await billing.run()
    assert (await billing.lines(owner))[3:] == [(-11_289, 0, None), (10_348, 0, 0), (11_088, 0, 10_147)]
    vendor = await billing.database.rows("SELECT kind, amount_minor FROM invoicing.vendor_charges")
    assert sorted(tuple(row) for row in vendor) == [
        ("addQuantity", -7_653),
        ("addQuantity", 9_184),
        ("cycleCharge", 9_020),
        ("new", 8_200),
        ("removeQuantity", -9_184),
        ("removeQuantity", 8_418),
    ]
