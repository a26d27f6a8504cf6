"""Reconciliation files of the vendor's against what we expected, on real Postgres, over REST."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import Keys
from services.invoicing.api import uploads
from services.invoicing.repository.vendor import comparison
from tests.builders import Database, running
from tests.vendor_files import BilledLine, World, as_csv, as_json_lines, expect, vendor_invoice, world

EVERYTHING = """
SELECT (SELECT count(*) FROM invoicing.reconciliations), (SELECT count(*) FROM invoicing.reconciliation_lines),
    (SELECT count(*) FROM invoicing.reconciliation_sums), (SELECT count(*) FROM invoicing.vendor_differences)
"""
COMPLETED = "SELECT data FROM invoicing.outbox WHERE type LIKE '%.ReconciliationCompleted.v1' ORDER BY position"


@pytest.fixture
async def here(database: Database, keys: Keys, jwks_file: Path) -> AsyncIterator[World]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        yield await world(client, database)


async def kept(here: World) -> tuple[int, ...]:
    """How many reconciliations, lines, sums and differences there are."""
    return tuple((await here.database.rows(EVERYTHING))[0])


def verdicts(found: dict[str, Any]) -> dict[str, int]:
    """The lines of each verdict."""
    return {one["verdict"]: one["lines"] for one in found["verdicts"]}


def refusal(answer: Any) -> tuple[int, str]:
    """The status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


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


async def test_a_file_with_a_broken_line_leaves_nothing(here: World) -> None:
    lines = [BilledLine(f"vendor-{n}") for n in range(1200)]
    invoice_id = await here.invoiced(lines)
    before = await kept(here)
    for type_, content, number in (
        ("text/csv", as_csv([*lines[:998], replace(lines[0], currency="USD"), *lines[999:]]), 1000),
        ("application/jsonl", as_json_lines([*lines[:999], replace(lines[0], currency="USD"), *lines[1000:]]), 1000),
    ):
        answer = await here.put(invoice_id, content, type_)
        assert refusal(answer) == (422, "file_refused")
        assert [one["field"] for one in answer.json()["errors"]] == [f"line.{number}.Currency"]
    assert await kept(here) == before == (0, 0, 0, 0)
    assert (await here.client.get(f"/v1/vendor-invoices/{invoice_id}/reconciliation")).status_code == 404
    assert (await here.put(invoice_id, as_csv(lines))).status_code == 201


async def test_a_packed_file_that_was_cut_off_leaves_nothing(here: World) -> None:
    lines = [BilledLine(f"vendor-{n}") for n in range(3000)]
    invoice_id = await here.invoiced(lines)
    packed = as_json_lines(lines, packed=True)
    cut = await here.put(invoice_id, packed[:-30], "application/gzip")
    assert refusal(cut) == (422, "file_refused")
    assert "the gzip is broken here" in cut.json()["detail"]
    assert await kept(here) == (0, 0, 0, 0)
    assert (await here.put(invoice_id, packed, "application/gzip")).status_code == 201


async def test_a_file_that_misses_the_sum_of_its_invoice_leaves_nothing_and_says_both_sums(here: World) -> None:
    lines = [BilledLine(tax=1915)] * 9
    for changed, allowed in (
        ({}, True),
        ({"total_minor": 9 * 11995 + 3}, True),
        ({"total_minor": 9 * 11995 - 4}, False),
        ({"tax_minor": 9 * 1915 + 4}, False),
    ):
        invoice_id = await here.invoiced(lines, **changed)
        answer = await here.put(invoice_id, as_csv(lines))
        assert (answer.status_code == 201) is allowed, answer.text
    assert refusal(answer) == (422, "sums_differ")
    assert (answer.json()["file_minor"], answer.json()["invoice_minor"]) == (9 * 1915, 9 * 1915 + 4)


async def test_the_same_file_again_changes_nothing(here: World) -> None:
    lines = [BilledLine(), BilledLine("vendor-9")]
    invoice_id = await here.invoiced(lines)
    first = await here.put(invoice_id, as_csv(lines))
    before = await kept(here)
    again = [await here.put(invoice_id, as_csv(lines)) for _ in range(2)]
    again.append(await here.put(invoice_id, as_csv(lines), replace=True, reason="to be sure"))
    assert [one.status_code for one in again] == [200] * 3
    assert [one.json() for one in again] == [first.json()] * 3
    assert await here.client.got(f"/v1/vendor-invoices/{invoice_id}/reconciliation") == first.json()
    assert await kept(here) == before
    assert len(await here.database.rows(COMPLETED)) == 1


async def test_another_file_takes_the_place_of_the_first_on_request_until_something_is_decided(here: World) -> None:
    await expect(here.database, [here.charge()])
    first, second = [BilledLine("vendor-9")], [BilledLine()]
    third = [BilledLine("vendor-8")]
    invoice_id = await here.invoiced(first)
    before = (await here.put(invoice_id, as_csv(first))).json()
    assert refusal(await here.put(invoice_id, as_csv(second))) == (409, "another_file")
    assert refusal(await here.put(invoice_id, as_csv(second), replace=True)) == (422, "reason_missing")
    assert len(await here.differences()) == 2
    broken = await here.put(invoice_id, as_csv([BilledLine(currency="USD")]), replace=True, reason="corrected")
    assert refusal(broken) == (422, "file_refused")
    assert len(await here.differences()) == 2
    replaced = await here.put(invoice_id, as_csv(second), replace=True, reason="corrected")
    assert (replaced.status_code, replaced.json()["status"]) == (201, "clean")
    assert await here.differences() == []
    row = (await here.database.rows("SELECT * FROM invoicing.reconciliations WHERE replaced_at IS NOT NULL"))[0]
    assert (str(row["id"]), row["replaced_why"], row["lines"]) == (before["id"], "corrected", 1)
    assert (await here.put(invoice_id, as_csv(third), replace=True, reason="again")).status_code == 201
    decided = (await here.differences())[0]["id"]
    await here.client.made(f"/v1/vendor-differences/{decided}:decide", {"decision": "accept", "reason": "small"})
    assert refusal(await here.put(invoice_id, as_csv(second), replace=True, reason="x")) == (409, "decisions_taken")
    assert (await here.put(invoice_id, as_csv(third))).status_code == 200


async def test_every_layout_says_the_same(here: World) -> None:
    await expect(here.database, [here.charge()])
    lines = [BilledLine(tax=1915), BilledLine("vendor-9", quantity=-3), BilledLine(charge_type="customerCredit")]
    found = []
    names = sorted(BilledLine().fields())
    for type_, content in (
        ("text/csv; charset=utf-8", as_csv(lines)),
        ("text/csv", as_csv(lines, names)),
        ("application/jsonl", as_json_lines(lines)),
        ("application/x-ndjson", as_json_lines(lines, numbers=True)),
        ("application/gzip", as_json_lines(lines, packed=True, numbers=True)),
        ("application/jsonl", as_json_lines(lines, packed=True)),
    ):
        invoice_id = await here.invoiced(lines)
        answer = await here.put(invoice_id, content, type_)
        assert answer.status_code == 201, answer.text
        work = await here.differences(vendor_invoice_id=invoice_id)
        found.append((answer.json()["verdicts"], [(one["verdict"], one["difference_minor"]) for one in work]))
        # What one invoice has billed is not expected on the next: each begins afresh.
        await here.database.execute("DELETE FROM invoicing.reconciliation_lines")
    assert all(one == found[0] for one in found)
    assert found[0][1] == [("no_customer", 10080), ("not_comparable", 10080)]


async def test_a_content_type_that_is_no_layout_is_refused(here: World) -> None:
    invoice_id = await here.invoiced([BilledLine()])
    for type_ in ("application/json", "text/plain", ""):
        assert refusal(await here.put(invoice_id, as_csv([BilledLine()]), type_)) == (415, "unknown_layout")


async def test_a_file_larger_than_is_taken_is_refused(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    content = as_csv([BilledLine()])
    invoice_id = await here.invoiced([BilledLine()])
    monkeypatch.setattr(uploads, "LARGEST_FILE", len(content) - 1)
    assert refusal(await here.put(invoice_id, content)) == (413, "file_too_large")
    monkeypatch.setattr(uploads, "LARGEST_FILE", len(content))
    assert (await here.put(invoice_id, content)).status_code == 201


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
    invoice_id = (await here.client.made("/v1/vendor-invoices", vendor_invoice(5000 + misses, currency=currency)))["id"]
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
    for left, before, after, cents in changes:
        kind = "new" if before is None else "addQuantity" if after > before else "removeQuantity"
        starts = end - timedelta(days=left)
        quantities = [after] if before is None else [-before, after]
        for quantity, subtotal in zip(quantities, cents, strict=True):
            lines.append(
                BilledLine("vendor-1", "tenant-17", kind, quantity, subtotal, 0, starts, end - timedelta(days=1))
            )
            # Truncated to the cent, toward zero.
            amount = abs(quantity) * price * left // cycle * (1 if quantity > 0 else -1)
            charges.append(here.charge(kind=kind, quantity=quantity, amount=amount, starts=starts, to=end))
    await expect(here.database, charges)
    found = await here.reconciled(lines)
    assert (found["status"], verdicts(found)) == ("clean", {"matched": len(lines)})


async def test_an_empty_comparison_is_no_success(here: World) -> None:
    await expect(here.database, [here.charge(charged_on=date(2026, 2, 1))])
    for lines in ([], [BilledLine("vendor-9")], [BilledLine(charge_type="customerCredit")]):
        assert (await here.reconciled(lines))["status"] == "not_compared"
    await expect(here.database, [here.charge(kind="renew")])
    nothing = await here.reconciled([])
    assert (nothing["status"], verdicts(nothing)) == ("not_compared", {"missing_at_vendor": 0})


async def test_what_another_invoice_has_billed_is_not_expected_again(here: World) -> None:
    await expect(here.database, [here.charge()])
    assert (await here.reconciled([BilledLine()]))["status"] == "clean"
    twice = await here.reconciled([BilledLine()])
    assert (verdicts(twice), twice["status"]) == ({"missing_with_us": 1}, "not_compared")
    thrice = await here.reconciled([BilledLine()])
    assert (verdicts(thrice), thrice["status"]) == ({"missing_with_us": 1}, "not_compared")
    assert [one["difference_minor"] for one in await here.differences()] == [10080, 10080]


async def test_a_correction_on_a_later_invoice_comes_out_even(here: World) -> None:
    await expect(here.database, [here.charge()])
    wrong = BilledLine(quantity=10, subtotal=12000)
    assert verdicts(await here.reconciled([wrong])) == {"price_difference": 1}
    makes_up = BilledLine(charge_type="fee", subtotal=5000)
    corrected = await here.reconciled([BilledLine(quantity=-10, subtotal=-12000), BilledLine(), makes_up])
    assert verdicts(corrected) == {"matched": 2, "not_comparable": 1}


async def test_only_what_was_charged_in_the_invoices_period_to_its_legal_entity_is_missing(here: World) -> None:
    french = await world(here.client, here.database, "vendor-2", legal_entity="GS-FR")
    for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)):
        starts = day + timedelta(days=100)
        charged = {"charged_on": day, "starts": starts, "to": starts + timedelta(days=30)}
        await expect(here.database, [here.charge(**charged), french.charge(**charged)])
    await here.reconciled([])
    found = [(one["period_from"], one["account_id"]) for one in await here.differences()]
    assert found == [("2026-06-09", str(here.account_id)), ("2026-07-09", str(here.account_id))]
    await here.reconciled([], period_from="2026-02-28", period_to="2026-03-01")
    assert len(await here.differences(verdict="missing_at_vendor")) == 3


async def test_the_event_tells_the_sums_and_no_customer(here: World) -> None:
    await expect(here.database, [here.charge()])
    found = await here.reconciled([BilledLine(), BilledLine("vendor-9")], number="G-17")
    (row,) = await here.database.rows(COMPLETED)
    assert '"number":"G-17"' in row["data"]
    assert '{"verdict":"matched","comparisons":1,"lines":1,"billed_minor":10080,"expected_minor":10080}' in row["data"]
    assert found["file_sha256"] in row["data"]
    assert "tenant-17" not in row["data"]


async def test_of_two_files_at_once_one_is_taken(here: World) -> None:
    first, second = as_csv([BilledLine()]), as_csv([BilledLine("vendor-9")])
    invoice_id = await here.invoiced([BilledLine()])
    answers = await asyncio.gather(*(here.put(invoice_id, one) for one in (first, second, first, second)))
    taken = sorted(one.status_code for one in answers)
    assert taken == [200, 201, 409, 409]
    assert (await kept(here))[:2] == (1, 1)


async def test_two_invoices_at_once_do_not_both_bill_the_same_charge(here: World) -> None:
    await expect(here.database, [here.charge()])
    invoices = [await here.invoiced([BilledLine()]) for _ in range(4)]
    answers = await asyncio.gather(*(here.put(one, as_csv([BilledLine()])) for one in invoices))
    assert sorted(one.json()["status"] for one in answers) == ["clean", "not_compared", "not_compared", "not_compared"]


async def test_a_unit_that_runs_again_reads_the_file_again(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    compare, attempts = comparison.compare, []

    async def lost(*arguments: Any) -> Any:
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError("gone")
        return await compare(*arguments)

    monkeypatch.setattr(comparison, "compare", lost)
    lines = [BilledLine(f"vendor-{n}") for n in range(3000)]
    for type_, content in (
        ("text/csv", as_csv(lines)),
        ("application/gzip", as_json_lines(lines, packed=True)),
    ):
        attempts.clear()
        answer = await here.put(await here.invoiced(lines), content, type_)
        assert (answer.status_code, answer.json()["lines"], len(attempts)) == (201, 3000, 3)


async def test_unknown_columns_are_kept(here: World) -> None:
    await here.reconciled([BilledLine()])
    (row,) = await here.database.rows(
        "SELECT extra->>'PartnerId' AS partner, unit_price, effective_unit_price, product"
        " FROM invoicing.reconciliation_lines"
    )
    assert [str(one) for one in row] == ["4711", "10.08", "9.408", "Business Premium"]
