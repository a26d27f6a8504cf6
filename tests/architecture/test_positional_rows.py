"""Rows of ten or more values come from NamedTuples, and each way of counting them by hand is seen."""

from pathlib import Path

import pytest

from tests.architecture.figures import PRODUCT
from tests.architecture.positional_rows import list_positional_rows
from tests.architecture.source import ROOT


@pytest.mark.parametrize("folder", PRODUCT)
def test_no_row_of_ten_is_counted_by_hand(folder: str) -> None:
    assert list_positional_rows(ROOT / folder) == []


@pytest.mark.parametrize(
    "line",
    [
        "INSERT = 'INSERT INTO t (a, j) VALUES ($1, $10)'",
        "INSERT = f'INSERT INTO {TABLE} (a, j) VALUES ($1, $10)'",
        "SAVE = 'UPDATE t SET j = n.j FROM unnest($1::uuid[], $10::text[]) AS n (id, j)'",
        "columns = split_into_columns(rows, 10)",
        "await connection.execute(INSERT, a, b, c, d, e, f, g, h, i, j)",
        "def build(row): return [(row.a, row.b, row.c, row.d, row.e, row.f, row.g, row.h, row.i, row.j)]",
        "def build(row): return (row.a, row.b, row.c, 'd', 'e', 'f', 'g', 'h', *row.rest, 'j')",
    ],
)
def test_a_row_counted_by_hand_is_seen(tmp_path: Path, line: str) -> None:
    (tmp_path / "queries.py").write_text(f"x = 1\n{line}\n")
    assert list_positional_rows(tmp_path) == ["queries.py:2"]


@pytest.mark.parametrize(
    "line",
    [
        "INSERT = 'INSERT INTO t (a, i) VALUES ($1, $9)'",
        "INSERT = f'INSERT INTO t ({ROWS.columns}) VALUES ({ROWS.values})'",
        "columns = split_into_columns(rows, 9)",
        "await connection.execute(INSERT, a, b, c, d, e, f, g, h, i, *ROWS.split_columns(rows))",
        "def build(row): return Row(row.a, row.b, row.c, row.d, row.e, row.f, row.g, row.h, row.i, row.j)",
        "def list_words(): return ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j')",
        "def plan(): return ((1, a), (2, b), (3, c), (4, d), (5, e), (6, f), (7, g), (8, h), (9, i), (10, j))",
    ],
)
def test_shorter_and_named_rows_are_none(tmp_path: Path, line: str) -> None:
    (tmp_path / "queries.py").write_text(f"{line}\n")
    assert list_positional_rows(tmp_path) == []
