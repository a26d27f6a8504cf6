"""A decision about a difference is carried out: the customer is billed once, the payable is cleared."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, eur, running
from tests.component.billing_world import Billing
from tests.component.vendor_world import at_once
from tests.vendor_files import BilledLine, World, as_csv, billed_total, vendor_invoice

MARCH = {"starts": date(2026, 3, 2), "ends": date(2026, 4, 1)}
VENDOR = {"unit_cost_minor": 820, "currency": "EUR"}
BILL: dict[str, Any] = {"decision": "bill_customer", "reason": "two seats more were used"}


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    """Invoicing with its workers and a rate of 19 %."""
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        world = Billing(runtime, client, database)
        await world.rate()
        yield world


async def sell(billing: Billing, currency: str = "EUR") -> str:
    """Sell ten seats at 10.08 EUR, which cost 8.20, from 2 March on, and bill March: 100.80; the account's id."""
    owner = await billing.account()
    plan = await billing.plan(vendor=VENDOR | {"currency": currency})
    await billing.buy(plan, owner, vendor_subscription_id="vendor-1")
    await billing.run()
    return owner


async def reconcile(billing: Billing, *lines: BilledLine, currency: str = "EUR") -> list[dict[str, Any]]:
    """Reconcile a vendor invoice of these lines; its differences."""
    body = vendor_invoice(billed_total(lines), currency=currency)
    made = await billing.client.create("/v1/vendor-invoices", body)
    here = World(billing.client, billing.database, made["id"], made["id"])
    answer = await here.put(made["id"], as_csv(lines))
    assert answer.status_code == 201, answer.text
    return await here.differences(vendor_invoice_id=made["id"])


async def decide(billing: Billing, difference: dict[str, Any], **body: Any) -> tuple[int, str | None]:
    """Decide about a difference; status, and the code of a refusal."""
    answer = await billing.client.post(f"/v1/vendor-differences/{difference['id']}:decide", body)
    return answer.status_code, answer.json().get("code")


def build_line(subtotal: int, quantity: int = 15, **more: Any) -> BilledLine:
    """A line of the vendor for March that was not expected so."""
    return BilledLine("vendor-1", quantity=quantity, subtotal=subtotal, **(MARCH | more))


async def test_the_customer_is_billed_what_the_vendor_bills_beyond(billing: Billing) -> None:
    """The vendor bills 123.00 for 15 seats, the customer was billed 100.80: 22.20, with 19 % tax 26.42."""
    owner = await sell(billing)
    (difference,) = await reconcile(billing, build_line(12_300))
    assert (difference["verdict"], difference["difference_minor"]) == ("quantity_difference", 4_100)
    assert await decide(billing, difference, **BILL) == (200, None)
    assert await decide(billing, difference, **BILL) == (409, "already_decided")
    assert await decide(billing, difference, decision="accept", reason="small") == (409, "already_decided")
    await billing.run()
    await billing.run()
    assert (await billing.lines(owner))[1:] == [(2_220, 422, 2_642)]
    invoices = (await billing.client.got("/v1/invoices", account_id=owner))["items"]
    (line,) = (await billing.client.got(f"/v1/invoices/{invoices[1]['id']}"))["lines"]
    assert line["description"] == "Business Premium, additional charge of the vendor, 2026-03-02 – 2026-04-01"
    shown = await billing.client.got(f"/v1/vendor-differences/{difference['id']}")
    assert [entry["net_minor"] for entry in shown["billed_to_customer"]] == [12_300]
    balance = await billing.trial_balance()
    assert (balance["vendor_cost", "EUR"], balance["vendor_payable", "EUR"]) == (12_300, -12_300)


async def test_of_two_differences_of_a_period_the_second_bills_only_what_is_left(billing: Billing) -> None:
    """Beside 123.00 the vendor bills 130.00 for the change: 22.20 for the one, and 130.00 − 100.80 − 22.20 = 7.00."""
    owner = await sell(billing)
    first, second = await reconcile(billing, build_line(12_300), build_line(13_000, 5, charge_type="addQuantity"))
    for difference in (first, second):
        assert await decide(billing, difference, **BILL) == (200, None)
    await billing.run()
    assert sorted(net for net, *_ in (await billing.lines(owner))[1:]) == [700, 2_220]


async def test_who_was_billed_as_much_is_billed_nothing(billing: Billing) -> None:
    await sell(billing)
    (difference,) = await reconcile(billing, build_line(10_080, 12))
    assert await decide(billing, difference, **BILL) == (409, "nothing_to_bill")
    assert await decide(billing, difference, decision="accept", reason="ours") == (200, None)


async def test_in_another_currency_a_person_says_the_amount(billing: Billing) -> None:
    owner = await sell(billing, "USD")
    (difference,) = await reconcile(billing, build_line(12_300, currency="USD"), currency="USD")
    assert await decide(billing, difference, **BILL) == (422, "amount_needed")
    usd = {"amount_minor": 1_500, "currency": "USD"}
    assert await decide(billing, difference, **BILL, amount=usd) == (422, "currency_mismatch")
    accept = {"decision": "accept", "reason": "small"}
    assert await decide(billing, difference, **accept, amount=eur(1_500)) == (422, "amount_refused")
    assert await decide(billing, difference, **BILL, amount=eur(1_500)) == (200, None)
    await billing.run()
    assert (await billing.lines(owner))[1:] == [(1_500, 285, 1_785)]


async def test_nobody_is_billed_for_what_is_of_no_customer(billing: Billing) -> None:
    (difference,) = await reconcile(billing, BilledLine("unknown-1", subtotal=100))
    assert await decide(billing, difference, **BILL) == (409, "not_billable")
    assert await decide(billing, difference, **BILL, amount=eur(100)) == (409, "not_billable")


@pytest.mark.parametrize(("billed", "difference_minor"), [(12_300, 4_100), (8_000, -200)])
async def test_what_is_accepted_leaves_the_payable(billing: Billing, billed: int, difference_minor: int) -> None:
    """82.00 was accrued: after the payment of all that is billed, nothing is payable."""
    await sell(billing)
    (difference,) = await reconcile(billing, build_line(billed, 12))
    paid = {"amount_minor": billed, "currency": "EUR", "paid_on": "2026-03-02", "reason": "run"}
    await billing.client.create(f"/v1/vendor-invoices/{difference['vendor_invoice_id']}:pay", paid)
    assert (await billing.trial_balance())["vendor_payable", "EUR"] == difference_minor
    assert await decide(billing, difference, decision="accept", reason="small") == (200, None)
    balance = await billing.trial_balance()
    assert (balance["vendor_payable", "EUR"], balance["vendor_differences", "EUR"]) == (0, difference_minor)
    assert (balance["cash", "EUR"], balance["vendor_cost", "EUR"]) == (-billed, 8_200)


async def test_what_is_disputed_stays_payable(billing: Billing) -> None:
    await sell(billing)
    (difference,) = await reconcile(billing, build_line(12_300))
    assert await decide(billing, difference, decision="dispute_with_vendor", reason="10 seats") == (200, None)
    balance = await billing.trial_balance()
    assert balance["vendor_payable", "EUR"] == -8_200
    assert ("vendor_differences", "EUR") not in balance


async def test_two_decisions_at_once_bill_once(billing: Billing) -> None:
    owner = await sell(billing)
    (difference,) = await reconcile(billing, build_line(12_300))
    service = (billing.runtime, billing.client, billing.database)
    path = f"/v1/vendor-differences/{difference['id']}:decide"
    answers = await at_once(service, difference["vendor_invoice_id"], path, [BILL, BILL])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    await billing.run()
    assert len(await billing.lines(owner)) == 2
