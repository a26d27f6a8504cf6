"""Columns, placeholders and types of a statement are those of the fields, whatever stands before them."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.persistence.bulk_rows import Integer, Jsonb, RowParameters, split_into_columns


class EveryType(NamedTuple):
    """A row with a field of each type."""

    id: UUID
    name: str | None
    amount_minor: int
    place: Integer
    rank: Integer | None
    is_open: bool
    content: bytes
    due_on: date
    opened_at: datetime | None
    details: Jsonb


class Pair(NamedTuple):
    """A row with two fields."""

    line: Integer
    name: str


def test_columns_and_placeholders_are_those_of_the_fields() -> None:
    rows = RowParameters(EveryType, first=3)
    assert rows.columns == "id, name, amount_minor, place, rank, is_open, content, due_on, opened_at, details"
    assert rows.values == "$3, $4, $5, $6, $7, $8, $9, $10, $11, $12"
    assert rows.typed_arrays == (
        "$3::uuid[], $4::text[], $5::bigint[], $6::int[], $7::int[], $8::bool[], $9::bytea[], $10::date[],"
        " $11::timestamptz[], $12::jsonb[]"
    )
    assert (rows["id"], rows["details"], rows.next) == ("$3", "$12", 13)


def test_a_field_of_another_type_or_name_is_refused() -> None:
    class Nested(NamedTuple):
        """A row that no column holds."""

        parts: list[str]

    with pytest.raises(KeyError):
        _ = RowParameters(Nested).typed_arrays
    with pytest.raises(ValueError, match="amount"):
        _ = RowParameters(Pair)["amount"]


@given(st.lists(st.builds(Pair, st.integers(), st.text())))
def test_split_rows_are_whole_and_in_their_order(rows: list[Pair]) -> None:
    lines, names = RowParameters(Pair).split_columns(iter(rows))
    assert list(zip(lines, names, strict=True)) == rows


def test_no_row_is_split_into_empty_columns() -> None:
    assert RowParameters(EveryType).split_columns([]) == [()] * 10
    assert split_into_columns([], 3) == [(), (), ()]


def test_a_row_is_picked_by_the_names_of_its_columns() -> None:
    opened = datetime(2026, 3, 1, tzinfo=UTC)
    assert RowParameters(Pair).pick_row(SimpleNamespace(name="a", opened_at=opened, line=7)) == Pair(7, "a")
