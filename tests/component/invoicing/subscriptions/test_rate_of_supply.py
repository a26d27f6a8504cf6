"""The rate of a charge is that of its supply, whenever a run bills it: 20 % until 1 April 2026, 22 % from 2 April on.

Ten seats at 10.08 cost 100.80 for April's 30 days; with 28 days left, 94.08.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, running
from tests.component.billing_world import Billing


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    """Invoicing, in which the rate changes on 2 April."""
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        made = Billing(runtime, client, database)
        await made.rate(2000)
        await made.rate(2200, valid_from="2026-04-02")
        yield made


async def list_credits(billing: Billing, owner: str) -> list[int]:
    """List what the credit notes of an account come to."""
    return [note["total_minor"] for note in (await billing.client.got("/v1/credit-notes", account_id=owner))["items"]]


async def test_seats_given_back_after_a_change_credit_the_tax_that_was_charged(billing: Billing) -> None:
    """94.08 × 1.20 = 112.896, so 112.90 are credited of the 120.96."""
    await billing.to("2026-04-01")
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(), owner, start="2026-04-01")
    await billing.run()
    assert await billing.lines(owner) == [(10_080, 2_016, 12_096)]
    await billing.to("2026-04-03")
    await billing.change(subscription, "cancel")
    await billing.run()
    assert await list_credits(billing, owner) == [11_290]


async def test_a_reversal_on_an_invoice_has_the_rate_of_what_it_reverses(billing: Billing) -> None:
    """Seats go from 10 to 12: −94.08 at 20 %, +112.89 (truncated) at 22 %, which is 24.84."""
    await billing.to("2026-04-01")
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(), owner, start="2026-04-01")
    await billing.run()
    await billing.to("2026-04-03")
    await billing.change(subscription, "quantity", quantity=12)
    await billing.run()
    assert [line[:2] for line in (await billing.lines(owner))[1:]] == [(-9_408, -1_882), (11_289, 2_484)]


async def test_a_reversal_beside_its_unbilled_charge_has_the_same_rate(billing: Billing) -> None:
    """Both are billed late, on 3 April: together 6.72 for two days, of which the tax is 20.16 − 18.82 = 1.34."""
    await billing.to("2026-04-01")
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(), owner, start="2026-04-01")
    await billing.to("2026-04-03")
    await billing.change(subscription, "cancel")
    await billing.run()
    lines = await billing.lines(owner)
    assert (sum(net for net, *_ in lines), sum(tax for _, tax, _ in lines)) == (672, 134)


async def test_the_tax_that_was_charged_is_credited_also_if_the_customer_is_exempt_by_now(billing: Billing) -> None:
    await billing.to("2026-04-01")
    owner = await billing.account()
    subscription = await billing.buy(await billing.plan(), owner, start="2026-04-01")
    await billing.run()
    row = await billing.client.get(f"/v1/accounts/{owner}")
    headers = billing.client.headers | {"if-match": row.headers["etag"]}
    body = {"tax_status": "exempt"}
    assert (await billing.client.http.patch(f"/v1/accounts/{owner}", json=body, headers=headers)).status_code == 200
    await billing.to("2026-04-03")
    await billing.change(subscription, "cancel")
    await billing.run()
    assert await list_credits(billing, owner) == [11_290]


@pytest.mark.parametrize(("start", "tax"), [("2026-03-01", 2_016), ("2026-03-02", 2_016), ("2026-03-03", 2_218)])
async def test_arrears_have_the_rate_of_the_last_day_of_their_period(billing: Billing, start: str, tax: int) -> None:
    """A month from 1, 2 or 3 March ends on 31 March, 1 or 2 April; all are billed in May."""
    await billing.to(start)
    owner = await billing.account()
    await billing.buy(await billing.plan(timing="arrears"), owner, start=start)
    await billing.database.move(days=35)
    await billing.run()
    assert (await billing.lines(owner))[0][:2] == (10_080, tax)


async def test_a_late_run_of_an_advance_charge_has_the_rate_of_its_first_day(billing: Billing) -> None:
    await billing.to("2026-03-25")
    owner = await billing.account()
    await billing.buy(await billing.plan(), owner, start="2026-03-25")
    await billing.to("2026-04-10")
    await billing.run()
    assert await billing.lines(owner) == [(10_080, 2_016, 12_096)]


async def test_without_a_rate_on_the_day_of_supply_the_account_is_set_aside(billing: Billing) -> None:
    await billing.to("2026-03-25")
    owner = await billing.account(country="FR")
    await billing.rate(2000, country="FR", valid_from="2026-04-01")
    await billing.buy(await billing.plan(), owner, start="2026-03-25")
    await billing.to("2026-04-02")
    run = await billing.run()
    assert run["accounts"] == {"set_aside": 1}
    (aside,) = (await billing.client.got(f"/v1/bill-runs/{run['id']}/set-aside"))["items"]
    assert aside["reason"] == "no tax rate for standard in FR on 2026-03-25"
