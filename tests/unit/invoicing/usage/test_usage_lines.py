"""Cost of usage, exactly; and a line of a file is what the same line of a request is, broken ones too."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.invoicing.files.domain.file_layouts import ParsedFileLines, UploadedFileLayout
from services.invoicing.usage.api import UsageLineIn
from services.invoicing.usage.domain.usage_file import UsageLineReader
from services.invoicing.usage.domain.usage_lines import (
    FlawedUsageLine,
    UsageFlaw,
    UsageLine,
    UsageRefused,
    compute_usage_amount,
    refuse_flawed_usage_lines,
)
from shared.pure.money import MAX_MINOR
from tests.usage_files import NAMES, as_csv, as_json_lines, usage_line

SOME = "01a20d60-a1c3-7e02-9b6d-7f1b8d2f9e46"
DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3}
NANOS = st.integers(0, 10**21 - 1)
CURRENCIES = st.sampled_from(sorted(DIGITS))


@given(quantity=NANOS, cost=NANOS, markup=st.integers(0, 100_000), currency=CURRENCIES)
def test_an_amount_is_truncated_and_never_rounded_before(quantity: int, cost: int, markup: int, currency: str) -> None:
    """Whole numbers of a billionth, multiplied and divided once."""
    minor = quantity * cost * (10_000 + markup) * 10 ** DIGITS[currency] // (10_000 * 10**18)
    arguments = Decimal(quantity).scaleb(-9), Decimal(cost).scaleb(-9), markup, currency
    if minor > MAX_MINOR:
        with pytest.raises(UsageRefused):
            compute_usage_amount(*arguments)
    else:
        assert compute_usage_amount(*arguments) == minor


@pytest.mark.parametrize(("currency", "minor"), [("EUR", 250), ("RSD", 250), ("IQD", 2500), ("JPY", 2)])
def test_an_amount_has_the_minor_units_of_iso_4217(currency: str, minor: int) -> None:
    assert compute_usage_amount(Decimal(5), Decimal("0.5"), 0, currency) == minor


def test_an_amount_just_below_a_cent_does_not_become_it() -> None:
    """Cents are the product of the billionths over 10^16; these two give a whole number of them less 10^-16."""
    quantity = 4_000_000_000_000_003
    cents = pow(10**16, -1, quantity)
    cost = (cents * 10**16 - 1) // quantity
    assert (len(str(cents)), quantity * cost) == (16, cents * 10**16 - 1)
    assert compute_usage_amount(Decimal(quantity).scaleb(-9), Decimal(cost).scaleb(-9), 0, "EUR") == cents - 1


def read(
    raw: Iterable[bytes], layout: UploadedFileLayout = UploadedFileLayout.JSON_LINES
) -> tuple[list[UsageLine], list[tuple[int, str | None]]]:
    """Return what is read of a file in EUR, and the places of what is broken."""
    lines = ParsedFileLines(layout, UsageLineReader("EUR"))
    return list(lines.parse_raw_file_lines(raw)), [(flaw.line, flaw.column) for flaw in lines.broken]


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"id": ""}, "id"),
        ({"id": "a b"}, "id"),
        ({"id": "x" * 61}, "id"),
        ({"subscription_id": "17"}, "subscription_id"),
        ({"meter": " "}, "meter"),
        ({"meter": "x" * 201}, "meter"),
        ({"meter": "a\nb"}, "meter"),
        ({"meter": "a\u202eb"}, "meter"),
        ({"meter": "pay\u200dpal"}, "meter"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "1e3"}, "quantity"),
        ({"quantity": "1,5"}, "quantity"),
        ({"quantity": "1" * 13}, "quantity"),
        ({"unit_cost": "NaN"}, "unit_cost"),
        ({"unit_cost": "0.0000000001"}, "unit_cost"),
        ({"unit_cost": ""}, "unit_cost"),
        ({"period_from": "2026-02-30"}, "period_from"),
        ({"period_from": "01/02/2026"}, "period_from"),
        ({"period_to": "2026-02-01T00:00:00Z"}, "period_to"),
        ({"period_to": "2026-01-01"}, "period_to"),
        ({"period_to": "2201-01-01"}, "period_to"),
        ({"currency": "USD"}, "currency"),
    ],
)
def test_what_is_broken_is_told_by_line_and_column(changed: dict[str, str], column: str) -> None:
    content = as_json_lines([usage_line(SOME, "1"), usage_line(SOME, "2", **changed), usage_line(SOME, "3")])
    assert read(content.splitlines(keepends=True))[1] == [(2, column)]


BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""What shows nothing beside controls and formats."""
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Z"), exclude_characters=BLANK), max_size=12
)
DAYS = st.dates(date(1980, 1, 1), date(2210, 1, 1)).map(str) | st.sampled_from(["2026-02-30", "2026-1-1", "today"])
NUMBERS = st.from_regex(r"-?[0-9]{0,14}(\.[0-9]{0,11})?", fullmatch=True) | st.from_regex(
    r"[0-9]{1,12}(\.[0-9]{1,9})?", fullmatch=True
)
LINES = st.fixed_dictionaries(
    {
        "id": st.from_regex(r"[A-Za-z0-9._-]{1,62}", fullmatch=True) | TEXTS,
        "subscription_id": st.uuids().map(str) | TEXTS.filter(lambda text: "-" not in text and len(text) < 32),
        "meter": TEXTS | st.sampled_from(["x" * 200, "x" * 201]),
        "quantity": NUMBERS,
        "unit_cost": NUMBERS,
        "period_from": DAYS,
        "period_to": DAYS,
    }
)


def of_request(line: dict[str, Any]) -> UsageLine | None:
    """The line as the first of a request, or None if it is refused."""
    try:
        return UsageLineIn.model_validate(line).build_usage_line(1)
    except ValidationError:
        return None


@given(line=LINES)
def test_a_line_of_a_file_is_that_of_a_request(line: dict[str, str]) -> None:
    for layout, content in (
        (UploadedFileLayout.JSON_LINES, as_json_lines([line])),
        (UploadedFileLayout.CSV, as_csv([line])),
    ):
        usage_lines, broken = read(content.splitlines(keepends=True), layout)
        wanted = of_request(line)
        assert bool(broken) == (wanted is None)
        comparable = [
            usage_line._replace(line=1, subscription_id=str(UUID(usage_line.subscription_id)))
            for usage_line in usage_lines
        ]
        assert comparable == ([] if wanted is None else [wanted])


def test_columns_in_any_order_and_case_and_others_are_read() -> None:
    lines = [usage_line(SOME, str(n), Note="x", CURRENCY="eur") for n in range(3)]
    names = ["Note", *reversed(NAMES), "CURRENCY"]
    renamed = as_csv(lines, names).replace(b"subscription_id", b" Subscription_ID ", 1)
    usage_lines, broken = read(renamed.splitlines(keepends=True), UploadedFileLayout.CSV)
    assert (broken, [usage_line.line for usage_line in usage_lines]) == ([], [2, 3, 4])
    again, _ = read(as_json_lines(lines, numbers=True).splitlines(keepends=True))
    assert [usage_line._replace(line=usage_line.line + 1) for usage_line in again] == usage_lines
    missing = as_csv(lines, [name for name in NAMES if name != "meter"])
    assert read(missing.splitlines(keepends=True), UploadedFileLayout.CSV) == ([], [(1, "meter")])


def test_wrong_lines_are_named_as_their_sender_calls_them() -> None:
    wrong = [FlawedUsageLine(3, "a", UsageFlaw.UNKNOWN, SOME), FlawedUsageLine(7, "b", UsageFlaw.TWICE, "b")]
    with pytest.raises(UsageRefused) as refusal:
        refuse_flawed_usage_lines(wrong, "lines")
    assert refusal.value.detail == f"line a: there is no subscription {SOME} of a plan"
    assert refusal.value.more["errors"] == [
        {"field": "lines.3.subscription_id", "message": f"there is no subscription {SOME} of a plan"},
        {"field": "lines.7.id", "message": "the id b is there twice"},
    ]
    refuse_flawed_usage_lines([], "lines")
