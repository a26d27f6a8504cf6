"""Reconciliation files of the vendor's are taken wholly or not at all, once, and replaced only on request."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from deploy.local.tokens import SigningKeyPair
from services.invoicing.files import api as files_api
from services.invoicing.files.domain.file_layouts import UploadedFileLayout
from services.invoicing.vendor_costs.repository import cost_comparison
from shared.web.http.body_receiving import BodyInterrupted
from tests.builders import Database, running
from tests.vendor_files import BilledLine, World, as_csv, as_json_lines, expect, world

EVERYTHING = """
SELECT (SELECT count(*) FROM invoicing.reconciliations), (SELECT count(*) FROM invoicing.reconciliation_lines),
    (SELECT count(*) FROM invoicing.reconciliation_sums), (SELECT count(*) FROM invoicing.vendor_differences)
"""
COMPLETED = "SELECT data FROM invoicing.outbox WHERE type LIKE '%.ReconciliationCompleted.v1' ORDER BY position"


@pytest.fixture
async def here(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        yield await world(client, database)


async def count_everything(here: World) -> tuple[int, ...]:
    """Count the reconciliations, lines, sums and differences that there are."""
    return tuple((await here.database.rows(EVERYTHING))[0])


def verdicts(reconciliation: dict[str, Any]) -> dict[str, int]:
    """The lines of each verdict."""
    return {verdict["verdict"]: verdict["lines"] for verdict in reconciliation["verdicts"]}


def refusal(answer: Any) -> tuple[int, str]:
    """The status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


async def test_a_file_with_a_broken_line_leaves_nothing(here: World) -> None:
    lines = [BilledLine(f"vendor-{n}") for n in range(1200)]
    invoice_id = await here.record_invoice(lines)
    before = await count_everything(here)
    for type_, content, number in (
        ("text/csv", as_csv([*lines[:998], replace(lines[0], currency="USD"), *lines[999:]]), 1000),
        ("application/jsonl", as_json_lines([*lines[:999], replace(lines[0], currency="USD"), *lines[1000:]]), 1000),
    ):
        answer = await here.put(invoice_id, content, type_)
        assert refusal(answer) == (422, "file_refused")
        assert [error["field"] for error in answer.json()["errors"]] == [f"line.{number}.Currency"]
    assert await count_everything(here) == before == (0, 0, 0, 0)
    assert (await here.client.get(f"/v1/vendor-invoices/{invoice_id}/reconciliation")).status_code == 404
    assert (await here.put(invoice_id, as_csv(lines))).status_code == 201


async def test_a_packed_file_that_was_cut_off_leaves_nothing(here: World) -> None:
    lines = [BilledLine(f"vendor-{n}") for n in range(3000)]
    invoice_id = await here.record_invoice(lines)
    packed = as_json_lines(lines, packed=True)
    cut = await here.put(invoice_id, packed[:-30], "application/gzip")
    assert refusal(cut) == (422, "file_refused")
    assert "the gzip is broken here" in cut.json()["detail"]
    assert await count_everything(here) == (0, 0, 0, 0)
    assert (await here.put(invoice_id, packed, "application/gzip")).status_code == 201


async def test_a_file_that_misses_the_sum_of_its_invoice_leaves_nothing_and_says_both_sums(here: World) -> None:
    lines = [BilledLine(tax=1915)] * 9
    for changed, allowed in (
        ({}, True),
        ({"total_minor": 9 * 11995 + 3}, True),
        ({"total_minor": 9 * 11995 - 4}, False),
        ({"tax_minor": 9 * 1915 + 4}, False),
    ):
        invoice_id = await here.record_invoice(lines, **changed)
        answer = await here.put(invoice_id, as_csv(lines))
        assert (answer.status_code == 201) is allowed, answer.text
    assert refusal(answer) == (422, "sums_differ")
    assert (answer.json()["file_minor"], answer.json()["invoice_minor"]) == (9 * 1915, 9 * 1915 + 4)


async def test_the_same_file_again_changes_nothing(here: World) -> None:
    lines = [BilledLine(), BilledLine("vendor-9")]
    invoice_id = await here.record_invoice(lines)
    first = await here.put(invoice_id, as_csv(lines))
    before = await count_everything(here)
    again = [await here.put(invoice_id, as_csv(lines)) for _ in range(2)]
    again.append(await here.put(invoice_id, as_csv(lines), replace=True, reason="to be sure"))
    assert [answer.status_code for answer in again] == [200] * 3
    assert [answer.json() for answer in again] == [first.json()] * 3
    assert await here.client.got(f"/v1/vendor-invoices/{invoice_id}/reconciliation") == first.json()
    assert await count_everything(here) == before
    assert len(await here.database.rows(COMPLETED)) == 1


async def test_another_file_takes_the_place_of_the_first_on_request_until_something_is_decided(here: World) -> None:
    await expect(here.database, [here.charge()])
    first, second = [BilledLine("vendor-9")], [BilledLine()]
    third = [BilledLine("vendor-8")]
    invoice_id = await here.record_invoice(first)
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
    await here.client.create(f"/v1/vendor-differences/{decided}:decide", {"decision": "accept", "reason": "small"})
    assert refusal(await here.put(invoice_id, as_csv(second), replace=True, reason="x")) == (409, "decisions_taken")
    assert (await here.put(invoice_id, as_csv(third))).status_code == 200


async def test_every_layout_says_the_same(here: World) -> None:
    await expect(here.database, [here.charge()])
    lines = [BilledLine(tax=1915), BilledLine("vendor-9", quantity=-3), BilledLine(charge_type="customerCredit")]
    outcomes = []
    names = sorted(BilledLine().fields())
    for type_, content in (
        ("text/csv; charset=utf-8", as_csv(lines)),
        ("text/csv", as_csv(lines, names)),
        ("application/jsonl", as_json_lines(lines)),
        ("application/x-ndjson", as_json_lines(lines, numbers=True)),
        ("application/gzip", as_json_lines(lines, packed=True, numbers=True)),
        ("application/jsonl", as_json_lines(lines, packed=True)),
    ):
        invoice_id = await here.record_invoice(lines)
        answer = await here.put(invoice_id, content, type_)
        assert answer.status_code == 201, answer.text
        work = await here.differences(vendor_invoice_id=invoice_id)
        outcomes.append(
            (
                answer.json()["verdicts"],
                [(difference["verdict"], difference["difference_minor"]) for difference in work],
            )
        )
        # What one invoice has billed is not expected on the next: each begins afresh.
        await here.database.execute("DELETE FROM invoicing.reconciliation_lines")
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0][1] == [("no_customer", 10080), ("not_comparable", 10080)]


async def test_a_content_type_that_is_no_layout_is_refused(here: World) -> None:
    invoice_id = await here.record_invoice([BilledLine()])
    for type_ in ("application/json", "text/plain", ""):
        assert refusal(await here.put(invoice_id, as_csv([BilledLine()]), type_)) == (415, "unknown_layout")


async def test_a_file_larger_than_is_taken_is_refused(here: World) -> None:
    invoice_id = await here.record_invoice([BilledLine()])
    headers = here.client.headers | {"content-type": "text/csv", "content-length": str((2 << 30) + 1)}
    path = f"/v1/vendor-invoices/{invoice_id}/reconciliation"
    answer = await here.client.http.put(path, content=as_csv([BilledLine()]), headers=headers)
    assert refusal(answer) == (413, "body_too_large")


async def test_the_event_tells_the_sums_and_no_customer(here: World) -> None:
    await expect(here.database, [here.charge()])
    reconciliation = await here.reconcile_lines([BilledLine(), BilledLine("vendor-9")], number="G-17")
    (row,) = await here.database.rows(COMPLETED)
    assert '"number":"G-17"' in row["data"]
    assert '{"verdict":"matched","comparisons":1,"lines":1,"billed_minor":10080,"expected_minor":10080}' in row["data"]
    assert reconciliation["file_sha256"] in row["data"]
    assert "tenant-17" not in row["data"]


async def test_of_two_files_at_once_one_is_taken(here: World) -> None:
    first, second = as_csv([BilledLine()]), as_csv([BilledLine("vendor-9")])
    invoice_id = await here.record_invoice([BilledLine()])
    answers = await asyncio.gather(*(here.put(invoice_id, content) for content in (first, second, first, second)))
    taken = sorted(answer.status_code for answer in answers)
    assert taken == [200, 201, 409, 409]
    assert (await count_everything(here))[:2] == (1, 1)


async def test_a_unit_that_runs_again_reads_the_file_again(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    compare, attempts = cost_comparison.compare_vendor_lines, []

    async def fail_twice(*arguments: Any) -> Any:
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError("gone")
        return await compare(*arguments)

    monkeypatch.setattr(cost_comparison, "compare_vendor_lines", fail_twice)
    lines = [BilledLine(f"vendor-{n}") for n in range(3000)]
    for type_, content in (
        ("text/csv", as_csv(lines)),
        ("application/gzip", as_json_lines(lines, packed=True)),
    ):
        attempts.clear()
        answer = await here.put(await here.record_invoice(lines), content, type_)
        assert (answer.status_code, answer.json()["lines"], len(attempts)) == (201, 3000, 3)


async def test_unknown_columns_are_kept(here: World) -> None:
    await here.reconcile_lines([BilledLine()])
    (row,) = await here.database.rows(
        "SELECT extra->>'PartnerId' AS partner, unit_price, effective_unit_price, product"
        " FROM invoicing.reconciliation_lines"
    )
    assert [str(cell) for cell in row] == ["4711", "10.08", "9.408", "Business Premium"]


async def test_what_was_taken_is_compared_again_as_long_as_nothing_is_decided(here: World) -> None:
    lines = [BilledLine(), BilledLine(charge_type="customerCredit"), BilledLine("vendor-9")]
    before = await here.reconcile_lines(lines)
    invoice_id = before["vendor_invoice_id"]
    path = f"/v1/vendor-invoices/{invoice_id}/reconciliation:compare"
    assert verdicts(before) == {"missing_with_us": 1, "no_customer": 1, "not_comparable": 1}
    rows = "SELECT * FROM invoicing.reconciliation_lines ORDER BY line"
    first = [dict(row) for row in await here.database.rows(rows)]
    await expect(here.database, [here.charge()])
    after = await here.client.create(path, {"reason": "the charge was recorded late"})
    assert verdicts(after) == {"matched": 1, "no_customer": 1, "not_comparable": 1}
    assert after["file_sha256"] == before["file_sha256"]
    assert await here.client.got(f"/v1/vendor-invoices/{invoice_id}/reconciliation") == after
    again = [dict(row) for row in await here.database.rows(rows)]
    changed = {"reconciliation_id", "verdict"}
    assert [{name: row[name] for name in row.keys() - changed} for row in again] == [
        {name: row[name] for name in row.keys() - changed} for row in first
    ]
    assert (await here.put(invoice_id, as_csv(lines))).status_code == 200
    decided = (await here.differences())[0]["id"]
    await here.client.create(f"/v1/vendor-differences/{decided}:decide", {"decision": "accept", "reason": "small"})
    assert refusal(await here.client.post(path, {"reason": "again"})) == (409, "decisions_taken")
    unknown = f"/v1/vendor-invoices/{await here.record_invoice(lines)}/reconciliation:compare"
    assert refusal(await here.client.post(unknown, {"reason": "x"})) == (404, "not_found")


async def test_a_file_whose_sender_went_away_is_refused() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"CustomerId,"
        raise ClientDisconnect

    with pytest.raises(BodyInterrupted):
        async with files_api.receive_uploaded_file(chunks(), UploadedFileLayout.CSV):
            pytest.fail("half a file is no file")
