"""Billing cycles against the dates that the partner programme documents, and what must hold of all."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.catalog.domain.billing_cycles import MONTH, THREE_YEARS, YEAR, build_cycle_anchor

DAYS = st.dates(date(2019, 1, 1), date(2032, 12, 31))
LENGTHS = st.sampled_from([(MONTH, MONTH), (YEAR, MONTH), (YEAR, YEAR), (THREE_YEARS, MONTH), (THREE_YEARS, YEAR)])


def starts(bought: str, term: int, period: int, count: int = 4) -> list[str]:
    anchor = build_cycle_anchor(date.fromisoformat(bought), term=term, period=period)
    return [anchor.get_billing_cycle_start(number).isoformat() for number in range(count)]


def test_the_day_of_a_monthly_term_is_clipped_and_does_not_drift() -> None:
    assert starts("2026-01-31", MONTH, MONTH) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


@pytest.mark.parametrize(
    ("bought", "then"),
    [
        ("2026-01-31", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("2026-01-30", ["2026-01-30", "2026-02-27", "2026-03-30", "2026-04-29"]),
        ("2026-02-28", ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2026-01-29", ["2026-01-29", "2026-02-28", "2026-03-29", "2026-04-29"]),
    ],
)
def test_a_year_billed_monthly_counts_from_the_months_end(bought: str, then: list[str]) -> None:
    assert starts(bought, YEAR, MONTH) == then


def test_a_leap_day_comes_back_in_leap_years() -> None:
    assert starts("2024-02-29", YEAR, YEAR, 5) == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]


@given(bought=DAYS, lengths=LENGTHS, number=st.integers(-40, 60))
def test_cycles_follow_one_another_and_each_day_lies_in_one(
    bought: date, lengths: tuple[int, int], number: int
) -> None:
    term, period = lengths
    anchor = build_cycle_anchor(bought, term=term, period=period)
    begin, end = anchor.get_billing_cycle_start(number), anchor.get_billing_cycle_start(number + 1)
    assert (end.year * 12 + end.month) - (begin.year * 12 + begin.month) == period
    assert anchor.get_billing_cycle_number(begin) == anchor.get_billing_cycle_number(end - timedelta(days=1)) == number
    assert anchor.get_cycle_bounds(begin) == (begin, end)
    assert anchor.get_billing_cycle_start(0) == bought
