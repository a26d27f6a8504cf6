"""Changes that are allowed when, by the rules of the partner programme; and the fold of what happened."""

from datetime import date, timedelta

import pytest

from services.invoicing.subscriptions.domain.proration import BillingCycle, ChargePeriod, SubscriptionUnitRate
from services.invoicing.subscriptions.domain.subscription_history import (
    ChangeKind,
    SubscriptionChange,
    SubscriptionChangeRefused,
    SubscriptionHistory,
    check_cancellation_window,
    check_quantity_change,
)

START = date(2026, 4, 1)
APRIL = BillingCycle(START, date(2026, 5, 1))
RATE, DEARER = SubscriptionUnitRate(1008, "plan", 1), SubscriptionUnitRate(1209, "plan", 2)
WINDOW = 7


def day(number: int) -> date:
    """A day after the start."""
    return START + timedelta(days=number)


def course(*changes: SubscriptionChange) -> SubscriptionHistory:
    return SubscriptionHistory(
        [SubscriptionChange(START, ChangeKind.ACTIVATE, 10, RATE, SubscriptionUnitRate(820)), *changes]
    )


def may(wanted: int, on: int, *changes: SubscriptionChange) -> bool:
    try:
        check_quantity_change(course(*changes), wanted, today=day(on), term_start=START, window=WINDOW)
    except SubscriptionChangeRefused:
        return False
    return True


@pytest.mark.parametrize(
    ("wanted", "on", "allowed"),
    [(11, 0, True), (11, 200, True), (1, 6, True), (9, 7, False), (9, 6, True), (10, 100, True)],
)
def test_seats_are_added_at_any_time_and_given_back_within_the_window(wanted: int, on: int, allowed: bool) -> None:
    assert may(wanted, on) is allowed


@pytest.mark.parametrize(("wanted", "on", "allowed"), [(10, 26, True), (9, 26, False), (14, 27, False), (15, 27, True)])
def test_only_what_was_added_lately_is_given_back(wanted: int, on: int, allowed: bool) -> None:
    assert may(wanted, on, SubscriptionChange(day(20), ChangeKind.QUANTITY, 15)) is allowed


def test_while_it_is_suspended_the_quantity_stays() -> None:
    suspended = SubscriptionChange(day(2), ChangeKind.SUSPEND)
    assert not may(11, 3, suspended)
    assert may(11, 3, suspended, SubscriptionChange(day(3), ChangeKind.REINSTATE))


@pytest.mark.parametrize(("on", "allowed"), [(0, True), (6, True), (7, False), (360, False)])
def test_it_is_cancelled_within_the_window_of_the_term(on: int, allowed: bool) -> None:
    if allowed:
        check_cancellation_window(course(), today=day(on), term_start=START, window=WINDOW)
        return
    with pytest.raises(SubscriptionChangeRefused, match="window closed"):
        check_cancellation_window(course(), today=day(on), term_start=START, window=WINDOW)


def test_what_is_cancelled_is_not_changed() -> None:
    with pytest.raises(SubscriptionChangeRefused, match="not active"):
        check_cancellation_window(
            course(SubscriptionChange(day(1), ChangeKind.CANCEL)),
            today=day(2),
            term_start=START,
            window=WINDOW,
        )


def test_a_cycle_is_billed_stretch_by_stretch() -> None:
    """More seats, a dearer plan, some suspended days, and an end."""
    lived = course(
        SubscriptionChange(day(5), ChangeKind.QUANTITY, 12),
        SubscriptionChange(day(10), ChangeKind.PLAN, None, DEARER, SubscriptionUnitRate(900)),
        SubscriptionChange(day(20), ChangeKind.SUSPEND),
        SubscriptionChange(day(22), ChangeKind.REINSTATE),
        SubscriptionChange(day(25), ChangeKind.CANCEL),
    )
    shared = [
        ChargePeriod(day(0), day(5), 10, RATE),
        ChargePeriod(day(5), day(10), 12, RATE),
        ChargePeriod(day(10), day(20), 12, DEARER),
    ]
    suspended, rest = ChargePeriod(day(20), day(22), 12, DEARER), ChargePeriod(day(22), day(25), 12, DEARER)
    assert lived.list_customer_billed_periods(APRIL, credits_suspension=True) == [*shared, rest]
    assert lived.list_customer_billed_periods(APRIL, credits_suspension=False) == [*shared, suspended, rest]
    assert [period.rate.price for period in lived.list_vendor_charged_periods(APRIL, bills_while_suspended=True)] == [
        820,
        820,
        900,
        900,
        900,
    ]
    assert (
        lived.list_customer_billed_periods(BillingCycle(date(2026, 5, 1), date(2026, 6, 1)), credits_suspension=True)
        == []
    )
    assert (lived.cancelled_on, lived.last_changed_on, lived.activated_on) == (day(25), day(25), START)


def test_it_does_not_matter_when_the_news_comes() -> None:
    more, suspended = (
        SubscriptionChange(day(10), ChangeKind.QUANTITY, 12),
        SubscriptionChange(day(5), ChangeKind.SUSPEND),
    )
    assert list(course(more, suspended).list_subscription_states()) == list(
        course(suspended, more).list_subscription_states()
    )


def test_of_one_day_the_later_word_counts() -> None:
    twice = course(
        SubscriptionChange(day(3), ChangeKind.QUANTITY, 12),
        SubscriptionChange(day(3), ChangeKind.QUANTITY, 8),
    )
    assert twice.list_customer_billed_periods(APRIL, credits_suspension=True) == [
        ChargePeriod(day(0), day(3), 10, RATE),
        ChargePeriod(day(3), day(30), 8, RATE),
    ]
