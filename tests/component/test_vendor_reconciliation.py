"""Reconciliation files of the vendor's against what we expected, on real Postgres, over REST."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.tokens import Keys
from tests.builders import Database, running
from tests.vendor_files import BilledLine, World, as_csv, expect, world


@pytest.fixture
async def here(database: Database, keys: Keys, jwks_file: Path) -> AsyncIterator[World]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        yield await world(client, database)


async def test_a_line_as_expected_is_clean(here: World) -> None:
    await expect(here.database, [here.charge()])
    lines = [BilledLine(tax=1915)]
    invoice_id = await here.invoiced(lines)
    answer = await here.put(invoice_id, as_csv(lines))
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "clean"
    assert await here.differences() == []


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
    lines = [
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
    found = await here.reconciled(lines)
    assert found["status"] == "differences"
    sums = {one["verdict"]: (one["lines"], one["billed_minor"], one["expected_minor"]) for one in found["verdicts"]}
    assert sums == {
        "matched": (1, 10080, 10080),
        "within_tolerance": (1, 10080, 10090),
        "price_difference": (1, 10080, 10091),
        "quantity_difference": (1, 10080, 12096),
        "missing_with_us": (1, -1008, 0),
        "missing_at_vendor": (0, 0, 3024),
        "no_customer": (2, 20160, 0),
        "not_comparable": (2, 9580, 0),
    }
    work = await here.differences(state="open")
    assert [(one["first_line"], one["verdict"]) for one in work] == [
        (4, "price_difference"),
        (5, "quantity_difference"),
        (6, "missing_with_us"),
        (7, "no_customer"),
        (8, "no_customer"),
        (9, "not_comparable"),
        (10, "not_comparable"),
        (None, "missing_at_vendor"),
    ]
    assert sum(one["difference_minor"] for one in work) + (10080 - 10090) == sum(
        one["difference_minor"] for one in found["verdicts"]
    )
    assert work[1]["cause"] == "the vendor bills 10 units, and we expected 12"
    assert (work[1]["account_id"], work[1]["difference_minor"]) == (str(other.account_id), -2016)
