"""Tax is taken out of gross amounts by rate, and the lines of a rate share it to the cent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.billing.domain.included_tax import extract_included_taxes
from services.invoicing.billing.domain.tax_by_rate import RatedAmount

AMOUNTS = st.lists(st.tuples(st.integers(0, 9 * 10**15), st.sampled_from([None, 0, 550, 700, 1900, 10_000])))


@pytest.mark.parametrize(
    ("amounts", "taxes"),
    [
        ([(11_900, 1900)], [1_900]),
        # 30.00 contain 4.789… at 19 %, 20.00 contain 3.193…, 10.00 contain 1.596…
        ([(1_000, 1900), (1_000, 1900), (1_000, 1900)], [160, 159, 160]),
        # 100.00 contain 15.966… at 19 %, 50.00 contain 7.983…; 10.70 contain 0.70 at 7 %.
        ([(5_000, 1900), (1_070, 700), (5_000, 1900)], [798, 70, 799]),
        # A half is rounded up: of 0.01 at 100 % the half is tax.
        ([(1, 10_000), (1, 10_000)], [1, 0]),
        ([(5_000, None), (700, 0)], [0, 0]),
        # The 90 trillion euro of the largest amount contain a tax that no float holds to the cent.
        ([(9_000_000_000_000_000, 1900)], [1_436_974_789_915_966]),
        ([], []),
    ],
)
def test_the_tax_of_a_rate_is_that_in_the_sum_of_its_lines(
    amounts: list[tuple[int, int | None]], taxes: list[int]
) -> None:
    assert extract_included_taxes([RatedAmount(*amount) for amount in amounts]) == taxes


@given(lines=AMOUNTS)
def test_a_line_never_has_more_tax_than_its_amount_nor_less_than_none(lines: list[tuple[int, int | None]]) -> None:
    for (minor, rate_bp), tax in zip(
        lines, extract_included_taxes([RatedAmount(*line) for line in lines]), strict=True
    ):
        assert 0 <= tax <= minor
        assert tax == 0 or rate_bp


@given(lines=AMOUNTS)
def test_the_sum_of_a_rate_is_taxed_once(lines: list[tuple[int, int | None]]) -> None:
    """The tax of each rate is within half a unit of what its sum contains."""
    taxes = extract_included_taxes([RatedAmount(*line) for line in lines])
    for rate in {rate for _, rate in lines if rate}:
        gross = sum(minor for minor, line_rate in lines if line_rate == rate)
        tax = sum(tax for (_, line_rate), tax in zip(lines, taxes, strict=True) if line_rate == rate)
        assert abs(2 * (tax * (10_000 + rate) - gross * rate)) <= 10_000 + rate
