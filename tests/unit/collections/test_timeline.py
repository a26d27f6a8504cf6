"""Amounts of an invoice by line."""

from services.collections.domain.dunning_item import LineBalance, compute_dunnable_by_line
from tests.unit.collections.facts import OTHER, SUBSCRIPTION


def test_the_dispute_of_a_paid_line_covers_no_other_line() -> None:
    paid, unpaid = LineBalance(1, OTHER, 0, disputed_minor=400), LineBalance(2, SUBSCRIPTION, 300)
    assert compute_dunnable_by_line((paid, unpaid), 0) == (0, 300)


def test_a_dispute_of_more_than_a_line_has_open_covers_no_other_line() -> None:
    partly_paid, unpaid = LineBalance(1, OTHER, 100, disputed_minor=400), LineBalance(2, SUBSCRIPTION, 300)
    assert compute_dunnable_by_line((partly_paid, unpaid), 50) == (0, 250)
