"""Lines of which more is disputed, amounts that may be approved of them, and those contested with the vendor."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.escalation.domain.deadlines import compute_deadline_warning
from services.escalation.domain.differences import is_reconciliation_difference_large
from services.escalation.domain.disputes import (
    ApprovedAmountsRefused,
    DisputeItem,
    DisputeWindow,
    approve_dispute_items,
    is_dispute_approved_fully,
    list_added_dispute_lines,
)
from services.escalation.domain.vendor_disputes import (
    ContestedAboveInvoice,
    check_contested_amount,
    plan_deadline_warning,
)

ITEMS = [DisputeItem(1, 100, "quantity"), DisputeItem(3, 40, "price")]


def test_the_last_day_of_the_window_counts() -> None:
    window = DisputeWindow(date(2026, 3, 1), 30, ZoneInfo("Europe/Berlin"))
    assert [window.is_window_over(date(2026, 3, day)) for day in (1, 31)] == [False, False]
    assert window.is_window_over(date(2026, 4, 1))


def test_a_line_is_added_where_more_of_it_is_disputed() -> None:
    wanted = [DisputeItem(9, 1, "price"), DisputeItem(3, 41, "price"), DisputeItem(1, 100, "quantity")]
    assert list_added_dispute_lines(ITEMS, wanted) == [3, 9]
    assert list_added_dispute_lines(wanted, ITEMS) == []


def test_without_amounts_everything_is_approved() -> None:
    approved = approve_dispute_items(ITEMS, None)
    assert approved == [DisputeItem(1, 100, "quantity", 100), DisputeItem(3, 40, "price", 40)]
    assert is_dispute_approved_fully(approved)


def test_of_a_line_that_is_not_named_nothing_is_approved() -> None:
    approved = approve_dispute_items(ITEMS, {3: 40})
    assert approved == [DisputeItem(1, 100, "quantity", 0), DisputeItem(3, 40, "price", 40)]
    assert not is_dispute_approved_fully(approved)
    assert not is_dispute_approved_fully(approve_dispute_items(ITEMS, {1: 100, 3: 39}))


@pytest.mark.parametrize(
    ("approved", "words"),
    [
        ({2: 5, 4: 5}, "lines: 2, 4 is not disputed"),
        ({1: 101}, "lines: more is approved of 1 than is disputed"),
        ({1: 101, 3: 41}, "lines: more is approved of 1, 3 than is disputed"),
        ({1: 0}, "lines: nothing is approved: reject the dispute instead"),
        ({}, "lines: nothing is approved: reject the dispute instead"),
    ],
)
def test_no_more_is_approved_than_is_disputed_and_not_nothing(approved: dict[int, int], words: str) -> None:
    with pytest.raises(ApprovedAmountsRefused) as refused:
        approve_dispute_items(ITEMS, approved)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("differences", "currency", "is_large"),
    [
        ([("price_difference", 9_999)], "EUR", False),
        ([("price_difference", 10_000)], "EUR", True),
        ([("price_difference", -10_000)], "EUR", True),
        ([("price_difference", 6_000), ("missing_with_us", -4_000)], "EUR", True),
        ([("matched", 10_000), ("within_tolerance", 10_000)], "EUR", False),
        ([("price_difference", 100)], "JPY", True),
        ([("price_difference", 99)], "JPY", False),
        ([], "EUR", False),
    ],
)
def test_differences_are_large_from_a_hundred_units_on(
    differences: list[tuple[str, int]], currency: str, is_large: bool
) -> None:
    assert is_reconciliation_difference_large(differences, currency) is is_large


@pytest.mark.parametrize(("others_minor", "rest_minor"), [(60, 40), (100, 0), (130, 0)])
def test_a_refusal_says_how_much_can_be_contested_still(others_minor: int, rest_minor: int) -> None:
    with pytest.raises(ContestedAboveInvoice) as refused:
        check_contested_amount(41, others_minor, 100)
    assert str(refused.value) == f"{rest_minor} of the 100 that are billed can be contested"


def test_all_that_is_billed_can_be_contested() -> None:
    check_contested_amount(40, 60, 100)
    check_contested_amount(100, 0, 100)


def test_a_warning_comes_so_long_before_the_end_of_the_last_day() -> None:
    assert compute_deadline_warning(date(2026, 4, 2), timedelta(days=7)) == datetime(2026, 3, 27, tzinfo=UTC)
    assert plan_deadline_warning(date(2026, 4, 30)) == datetime(2026, 4, 25, tzinfo=UTC)
    assert plan_deadline_warning(None) is None
