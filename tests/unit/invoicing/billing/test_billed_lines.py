"""Tax that is added to lines, and what is to be paid of each, by examples worked out by hand."""

from uuid import UUID

import pytest

from services.invoicing.billing.domain.billed_lines import (
    SignedLine,
    compute_added_taxes,
    compute_collectable_minor,
    compute_lowered_tax,
)
from services.invoicing.billing.domain.tax_by_rate import RatedAmount


@pytest.mark.parametrize(
    ("amounts", "taxes"),
    [
        ([(1_000, 1900)], [190]),
        # 0.5 is rounded away from zero, on both sides of it; 0.49 is not.
        ([(50, 100)], [1]),
        ([(-50, 100)], [-1]),
        ([(49, 100)], [0]),
        # 3 have 0.57, 6 have 1.14, 9 have 1.71.
        ([(3, 1900), (3, 1900), (3, 1900)], [1, 0, 1]),
        # each rate by itself: 3 have 0.57 at 19 %, 7 have 0.49 at 7 %.
        ([(3, 1900), (7, 700), (3, 1900)], [1, 0, 0]),
        ([(1_000, None), (1_000, 0)], [0, 0]),
        ([], []),
    ],
)
def test_tax_is_added_to_the_sum_of_a_rate(amounts: list[tuple[int, int | None]], taxes: list[int]) -> None:
    assert compute_added_taxes([RatedAmount(*amount) for amount in amounts]) == taxes


@pytest.mark.parametrize(
    ("lines", "payable"),
    [
        ([(1, 1_000), (2, 500)], [1_000, 500]),
        ([(1, 1)], [1]),
        ([(1, 0)], [0]),
        # what a subscription gets back lowers its own lines, the earliest first
        ([(2, 500), (1, 1_000), (1, -300)], [500, 700, 0]),
        ([(1, 100), (1, 200), (1, -150)], [0, 150, 0]),
        ([(1, 1), (1, -1)], [0, 0]),
        # and what is above them the others, the earliest first
        ([(2, 100), (1, 1_000), (1, -1_250), (3, 400)], [0, 0, 0, 250]),
        # of two subscriptions together: 200 and 50 are too much of their own
        ([(1, 100), (1, -300), (2, 100), (2, -150), (3, 500)], [0, 0, 0, 0, 250]),
        ([(1, -5)], [0]),
    ],
)
def test_reversals_are_taken_off_what_is_to_be_paid(lines: list[tuple[int, int]], payable: list[int]) -> None:
    signed = [SignedLine(UUID(int=subscription), amount) for subscription, amount in lines]
    assert compute_collectable_minor(signed) == payable


@pytest.mark.parametrize(
    ("tax", "net", "lowered", "expected"),
    [
        (-19, -100, -100, -19),
        (-19, -100, -50, -10),  # 9.5
        (-19, -100, -47, -9),  # 8.93
        (-19, -100, -2, 0),  # 0.38
        (-19, -100, 0, 0),
        (19, 100, 50, 10),
        (-500_000_000_001, -(10**12), -(10**12) + 1, -500_000_000_000),  # just below the half
    ],
)
def test_a_lowered_reversal_has_the_tax_of_what_is_left(tax: int, net: int, lowered: int, expected: int) -> None:
    assert compute_lowered_tax(tax, net, lowered) == expected
