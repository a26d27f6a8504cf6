"""Benchmarks run, small, and say what a report needs; how fast anything is, no test decides."""

import asyncio
from collections.abc import Callable

import pytest

from benchmarks import bank, bill_run, cases, payments, reconciliation
from benchmarks.__main__ import table
from benchmarks.stage import Row

SMALL: dict[str, Callable[[], list[Row]]] = {
    "bank": lambda: bank.measure(50, 100),
    "bill_run": lambda: asyncio.run(bill_run.run(20, 1)),
    "cases": lambda: cases.measure(1_000, 500, 64, 16),
    "payments": lambda: payments.measure(64, 16),
    "reconciliation": lambda: reconciliation.measure(1_000),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_says_what_it_measured_beside_what_could_be(name: str) -> None:
    rows = SMALL[name]()
    assert all(row.keys() == {"name", "value", "unit", "floor", "limit", "better"} for row in rows)
    assert rows[0]["floor"] > 0
    assert rows[0]["limit"] > 0
    assert table(rows).row_count == len(rows)
