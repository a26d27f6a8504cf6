"""Beside what the vendor bills stands what our customer was billed: "bill the customer" is decided knowing both."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, running
from tests.component.billing_world import Billing
from tests.vendor_files import BilledLine, World, as_csv, billed_total, vendor_invoice


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        made = Billing(runtime, client, database)
        await made.rate()
        yield made


def dear(vendor_id: str, starts: date, ends: date, **more: Any) -> BilledLine:
    """A line that nobody expected in this quantity; the vendor bills USD, and we bill EUR."""
    return replace(BilledLine(vendor_id, quantity=12, subtotal=9840, currency="USD", starts=starts, ends=ends), **more)


async def reconcile_invoice(billing: Billing, lines: list[BilledLine]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Reconcile a vendor invoice of these lines; return the sums and its work list."""
    body = vendor_invoice(billed_total(lines), currency="USD")
    made = await billing.client.create("/v1/vendor-invoices", body)
    here = World(billing.client, billing.database, made["id"], made["id"])
    answer = await here.put(made["id"], as_csv(lines))
    assert answer.status_code == 201, answer.text
    read = await billing.client.got(f"/v1/vendor-invoices/{made['id']}/reconciliation")
    assert read["verdicts"] == answer.json()["verdicts"]
    sums = {verdict["verdict"]: verdict["billed_to_customers"] for verdict in read["verdicts"]}
    return sums, await here.differences(vendor_invoice_id=made["id"])


MARCH, APRIL = {"period_from": "2026-03-02", "period_to": "2026-04-02"}, {"period_to": "2026-05-02"}


async def test_what_was_billed_for_the_period_in_its_own_currency_and_nothing_else(billing: Billing) -> None:
    """10 seats at 10.08 EUR a month, from 2 March on; the fee for the set-up is not for a period."""
    plan = await billing.plan(prices={"EUR": {"unit_price_minor": 1008, "setup_minor": 5000}})
    await billing.buy(plan, await billing.account(), vendor_subscription_id="vendor-1")
    await billing.buy(plan, await billing.account(), quantity=3, vendor_subscription_id="vendor-2")
    draft = await billing.run(at_once=False)
    march = [dear("vendor-1", date(2026, 3, 2), date(2026, 4, 1))]
    sums, (difference, *_) = await reconcile_invoice(billing, march)
    assert (difference["verdict"], difference["currency"], difference["billed_to_customer"]) == (
        "quantity_difference",
        "USD",
        [],
    )
    assert sums["quantity_difference"] == []
    await billing.client.create(f"/v1/bill-runs/{draft['id']}:approve", {"reason": "looks right"})
    await billing.finish_run(draft["id"])
    await billing.to("2026-04-02")
    await billing.run()
    reread = await billing.client.got(f"/v1/vendor-differences/{difference['id']}")
    assert reread["billed_to_customer"] == [{"currency": "EUR", "net_minor": 10080} | MARCH]


async def test_stretches_of_other_cycles_count_where_they_touch_and_once_for_a_verdict(billing: Billing) -> None:
    plan = await billing.plan()
    await billing.buy(plan, await billing.account(), vendor_subscription_id="vendor-1")
    await billing.run()
    await billing.to("2026-04-02")
    await billing.run()
    lines = [
        dear("vendor-1", date(2026, 3, 15), date(2026, 4, 14), charge_type="cycleCharge"),
        dear("vendor-1", date(2026, 4, 2), date(2026, 4, 9), charge_type="cycleCharge"),
        dear("vendor-1", date(2026, 4, 2), date(2026, 4, 9), charge_type="renew"),
        dear("vendor-1", date(2026, 2, 1), date(2026, 3, 1), charge_type="renew"),
        dear("vendor-9", date(2026, 3, 2), date(2026, 4, 1)),
    ]
    sums, work = await reconcile_invoice(billing, lines)
    both = [{"currency": "EUR", "net_minor": 20160} | MARCH | APRIL]
    april = [{"currency": "EUR", "net_minor": 10080, "period_from": "2026-04-02"} | APRIL]
    by_line = {difference["first_line"]: difference["billed_to_customer"] for difference in work}
    assert [by_line[line] for line in (2, 3, 4, 5, 6)] == [both, april, april, [], []]
    assert (sums["missing_with_us"], sums["no_customer"]) == ([{"currency": "EUR", "net_minor": 20160}], [])
    decided = await billing.client.create(
        f"/v1/vendor-differences/{work[0]['id']}:decide", {"decision": "accept", "reason": "billed already"}
    )
    assert decided["billed_to_customer"] == work[0]["billed_to_customer"]


async def test_what_a_bill_run_gave_back_is_not_billed(billing: Billing) -> None:
    """A credit note settles 94.29 for 29 days (truncated) of the 100.80 for 31 days."""
    subscription = await billing.buy(await billing.plan(), await billing.account(), vendor_subscription_id="vendor-1")
    await billing.run()
    await billing.to("2026-03-04")
    await billing.change(subscription, "cancel")
    both = {"period_from": "2026-03-02", "period_to": "2026-04-02"}
    march = [dear("vendor-1", date(2026, 3, 2), date(2026, 4, 1))]
    _, (difference, *_) = await reconcile_invoice(billing, march)
    assert difference["billed_to_customer"] == [{"currency": "EUR", "net_minor": 10_080} | both]
    assert (await billing.run())["accounts"] == {"credited": 1}
    reread = await billing.client.got(f"/v1/vendor-differences/{difference['id']}")
    assert reread["billed_to_customer"] == [{"currency": "EUR", "net_minor": 10_080 - 9_429} | both]
