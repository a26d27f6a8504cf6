"""Reconciliation files of the vendor's against what we expected, on real Postgres, over REST."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, running
from tests.vendor_files import BilledLine, World, as_csv, expect, vendor_invoice, world


@pytest.fixture
async def here(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        yield await world(client, database)


def verdicts(reconciliation: dict[str, Any]) -> dict[str, int]:
    """The lines of each verdict."""
    return {verdict["verdict"]: verdict["lines"] for verdict in reconciliation["verdicts"]}


async def test_a_line_as_expected_is_clean(here: World) -> None:
    await expect(here.database, [here.charge()])
    lines = [BilledLine(tax=1915)]
    invoice_id = await here.record_invoice(lines)
    answer = await here.put(invoice_id, as_csv(lines))
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "clean"
    assert await here.differences() == []


SUMS_OF_ALL_VERDICTS = {
    "matched": (1, 10080, 10080),
    "within_tolerance": (1, 10080, 10090),
    "price_difference": (1, 10080, 10091),
    "quantity_difference": (1, 10080, 12096),
    "missing_with_us": (1, -1008, 0),
    "missing_at_vendor": (0, 0, 3024),
    "no_customer": (2, 20160, 0),
    "not_comparable": (2, 9580, 0),
}
"""Lines, what they bill, and what was expected."""
LINES_OF_ALL_VERDICTS = [
    BilledLine(),
    BilledLine(charge_type="cycleCharge"),
    BilledLine(charge_type="renew"),
    BilledLine("vendor-2"),
    BilledLine(charge_type="removeQuantity", quantity=-1, subtotal=-1008),
    BilledLine("vendor-3", customer="tenant-18"),
    BilledLine("vendor-9"),
    BilledLine(charge_type="customerCredit", subtotal=-500),
    BilledLine("vendor-4"),
]
"""One of each, in the order of the file."""


async def test_every_verdict_is_found(here: World) -> None:
    other = await world(here.client, here.database, "vendor-2")
    third = await world(here.client, here.database, "vendor-3")
    foreign = await world(here.client, here.database, "vendor-4")
    await expect(
        here.database,
        [
            here.charge(),
            here.charge(kind="cycleCharge", amount=10090),
            here.charge(kind="renew", amount=10091),
            other.charge(quantity=12, amount=12096),
            third.charge(kind="addQuantity", quantity=3, amount=3024),
            foreign.charge(currency="USD"),
        ],
    )
    reconciliation = await here.reconcile_lines(LINES_OF_ALL_VERDICTS)
    assert reconciliation["status"] == "differences"
    sums = {
        verdict["verdict"]: (verdict["lines"], verdict["billed_minor"], verdict["expected_minor"])
        for verdict in reconciliation["verdicts"]
    }
    assert sums == SUMS_OF_ALL_VERDICTS
    work = await here.differences(state="open")
    assert [(difference["first_line"], difference["verdict"]) for difference in work] == [
        (4, "price_difference"),
        (5, "quantity_difference"),
        (6, "missing_with_us"),
        (7, "no_customer"),
        (8, "no_customer"),
        (9, "not_comparable"),
        (10, "not_comparable"),
        (None, "missing_at_vendor"),
    ]
    assert sum(difference["difference_minor"] for difference in work) + (10080 - 10090) == sum(
        verdict["difference_minor"] for verdict in reconciliation["verdicts"]
    )
    assert work[1]["cause"] == "the vendor bills 10 units, and we expected 12"
    assert (work[1]["account_id"], work[1]["difference_minor"]) == (str(other.account_id), -2016)


@pytest.mark.parametrize(
    ("currency", "quantity", "misses", "verdict"),
    [
        ("EUR", 10, 0, "matched"),
        ("EUR", 10, 10, "within_tolerance"),
        ("EUR", 10, -10, "within_tolerance"),
        ("EUR", 10, 11, "price_difference"),
        ("EUR", 10, -11, "price_difference"),
        ("EUR", -10, 10, "within_tolerance"),
        ("EUR", -10, 11, "price_difference"),
        ("EUR", 1, 1, "within_tolerance"),
        ("EUR", 1, 2, "price_difference"),
        ("JPY", 10, 1, "within_tolerance"),
        ("JPY", 199, 1, "within_tolerance"),
        ("JPY", 199, 2, "price_difference"),
        ("JPY", 200, 2, "within_tolerance"),
        ("KWD", 1, 10, "within_tolerance"),
        ("KWD", 1, 11, "price_difference"),
    ],
)
async def test_the_tolerance_is_a_hundredth_of_the_currency_for_each_unit(
    here: World, currency: str, quantity: int, misses: int, verdict: str
) -> None:
    decimals = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
    await expect(here.database, [here.charge(currency=currency, quantity=quantity, amount=5000)])
    minor = str(5000 + misses)
    text = f"{minor[: len(minor) - decimals]}.{minor[len(minor) - decimals :]}" if decimals else minor
    fields = BilledLine(currency=currency, quantity=quantity).fields()
    fields |= {"Subtotal": text, "Total": text, "TaxTotal": "0"}
    invoice_id = (await here.client.create("/v1/vendor-invoices", vendor_invoice(5000 + misses, currency=currency)))[
        "id"
    ]
    content = f"{','.join(fields)}\n{','.join(fields.values())}\n".encode()
    answer = await here.put(invoice_id, content)
    assert verdicts(answer.json()) == {verdict: 1}
    assert answer.json()["status"] == ("differences" if verdict == "price_difference" else "clean")


VECTORS = [
    (30, 1008, [(30, None, 10, [10080]), (28, 10, 12, [-9408, 11289]), (28, 12, 8, [-11289, 7526])]),
    (
        31,
        1200,
        [
            (31, None, 10, [12000]),
            (29, 10, 15, [-11225, 16838]),
            (26, 15, 25, [-15096, 25161]),
            (24, 25, 23, [-23225, 21367]),
            (22, 23, 20, [-19587, 17032]),
            (11, 20, 30, [-8516, 12774]),
        ],
    ),
]
"""The vendor's documented prorations: days of the cycle, cents a seat, and for each change the days left, the quantity
before and after, and the lines in cents."""


@pytest.mark.parametrize(("cycle", "price", "changes"), VECTORS, ids=("10.08 of 30 days", "12 of 31 days"))
async def test_the_vendors_prorations_are_as_we_expect_them(
    here: World, cycle: int, price: int, changes: list[tuple[int, int | None, int, list[int]]]
) -> None:
    end = date(2026, 3, 1) + timedelta(days=cycle)
    lines, charges = [], []
    for days_left, before, after, cents in changes:
        kind = "new" if before is None else "addQuantity" if after > before else "removeQuantity"
        starts = end - timedelta(days=days_left)
        quantities = [after] if before is None else [-before, after]
        for quantity, subtotal in zip(quantities, cents, strict=True):
            lines.append(
                BilledLine("vendor-1", "tenant-17", kind, quantity, subtotal, 0, starts, end - timedelta(days=1))
            )
            # Truncated to the cent, toward zero.
            amount = abs(quantity) * price * days_left // cycle * (1 if quantity > 0 else -1)
            charges.append(here.charge(kind=kind, quantity=quantity, amount=amount, starts=starts, to=end))
    await expect(here.database, charges)
    reconciliation = await here.reconcile_lines(lines)
    assert (reconciliation["status"], verdicts(reconciliation)) == ("clean", {"matched": len(lines)})


async def test_an_empty_comparison_is_no_success(here: World) -> None:
    await expect(here.database, [here.charge(charged_on=date(2026, 2, 1))])
    for lines in ([], [BilledLine("vendor-9")], [BilledLine(charge_type="customerCredit")]):
        assert (await here.reconcile_lines(lines))["status"] == "not_compared"
    await expect(here.database, [here.charge(kind="renew")])
    nothing = await here.reconcile_lines([])
    assert (nothing["status"], verdicts(nothing)) == ("not_compared", {"missing_at_vendor": 0})


async def test_what_another_invoice_has_billed_is_not_expected_again(here: World) -> None:
    await expect(here.database, [here.charge()])
    assert (await here.reconcile_lines([BilledLine()]))["status"] == "clean"
    twice = await here.reconcile_lines([BilledLine()])
    assert (verdicts(twice), twice["status"]) == ({"missing_with_us": 1}, "not_compared")
    thrice = await here.reconcile_lines([BilledLine()])
    assert (verdicts(thrice), thrice["status"]) == ({"missing_with_us": 1}, "not_compared")
    assert [difference["difference_minor"] for difference in await here.differences()] == [10080, 10080]


async def test_what_was_billed_early_or_comes_to_nothing_is_not_missing(here: World) -> None:
    back_and_forth = {"kind": "addQuantity", "amount": 500}
    await expect(here.database, [here.charge(), here.charge(**back_and_forth)])
    await expect(here.database, [here.charge(kind="addQuantity", quantity=-10, amount=-500)])
    early = await here.reconcile_lines([BilledLine(subtotal=9000)], period_from="2026-02-01", period_to="2026-03-01")
    assert verdicts(early) == {"price_difference": 1}  # what is left of it is on the list already
    assert (await here.reconcile_lines([]))["verdicts"] == []


async def test_a_correction_on_a_later_invoice_comes_out_even(here: World) -> None:
    await expect(here.database, [here.charge()])
    wrong = BilledLine(quantity=10, subtotal=12000)
    assert verdicts(await here.reconcile_lines([wrong])) == {"price_difference": 1}
    makes_up = BilledLine(charge_type="fee", subtotal=5000)
    corrected = await here.reconcile_lines([BilledLine(quantity=-10, subtotal=-12000), BilledLine(), makes_up])
    assert verdicts(corrected) == {"matched": 2, "not_comparable": 1}


async def test_what_was_billed_in_another_currency_is_expected_all_the_same(here: World) -> None:
    await expect(here.database, [here.charge()])
    dollars = await here.reconcile_lines([BilledLine(currency="USD")], currency="USD")
    assert verdicts(dollars) == {"not_comparable": 1}
    assert verdicts(await here.reconcile_lines([BilledLine()])) == {"matched": 1}


async def test_only_what_was_charged_in_the_invoices_period_to_its_legal_entity_is_missing(here: World) -> None:
    french = await world(here.client, here.database, "vendor-2", legal_entity="GS-FR")
    for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)):
        starts = day + timedelta(days=100)
        charged = {"charged_on": day, "starts": starts, "to": starts + timedelta(days=30)}
        await expect(here.database, [here.charge(**charged), french.charge(**charged)])
    await here.reconcile_lines([])
    missing = [(difference["period_from"], difference["account_id"]) for difference in await here.differences()]
    assert missing == [("2026-06-09", str(here.account_id)), ("2026-07-09", str(here.account_id))]
    await here.reconcile_lines([], period_from="2026-02-28", period_to="2026-03-01")
    assert len(await here.differences(verdict="missing_at_vendor")) == 3


async def test_two_invoices_at_once_do_not_both_bill_the_same_charge(here: World) -> None:
    await expect(here.database, [here.charge()])
    invoices = [await here.record_invoice([BilledLine()]) for _ in range(4)]
    answers = await asyncio.gather(*(here.put(invoice, as_csv([BilledLine()])) for invoice in invoices))
    assert sorted(answer.json()["status"] for answer in answers) == [
        "clean",
        "not_compared",
        "not_compared",
        "not_compared",
    ]


async def test_what_the_vendor_credits_is_announced_and_that_it_does_not_any_more(here: World) -> None:
    credit = BilledLine("", charge_type="customerCredit", subtotal=-500)
    lines = [BilledLine("vendor-9"), credit, replace(credit, customer="tenant-18", subtotal=-70)]
    invoice_id = await here.record_invoice(lines)
    assert (await here.put(invoice_id, as_csv(lines))).status_code == 201
    without = [BilledLine("vendor-9", subtotal=10080 - 570)]
    answer = await here.put(invoice_id, as_csv(without), replace="true", reason="the vendor sent another")
    assert answer.status_code == 201, answer.text
    query = "SELECT subject, data FROM invoicing.outbox WHERE type LIKE '%VendorCreditReceived%' ORDER BY position"
    rows = await here.database.rows(query)
    assert {row["subject"] for row in rows} == {invoice_id}
    credits = [
        [(item["vendor_customer_id"], item["amount_minor"]) for item in orjson.loads(row["data"])["credits"]]
        for row in rows
    ]
    assert credits == [[("tenant-17", 500), ("tenant-18", 70)], []]
