"""What may be changed when, by the rules that the partner programme documents; and the fold of what happened."""

from datetime import date, timedelta

import pytest

from services.invoicing.subscriptions.domain.proration import Cycle, Rate, Stretch
from services.invoicing.subscriptions.domain.subscription_history import (
    Change,
    ChangeRefused,
    Course,
    Kind,
    check_cancel,
    check_quantity,
)

START = date(2026, 4, 1)
APRIL = Cycle(START, date(2026, 5, 1))
RATE, DEARER = Rate(1008, "plan", 1), Rate(1209, "plan", 2)
WINDOW = 7


def day(number: int) -> date:
    """A day after the start."""
    return START + timedelta(days=number)


def course(*changes: Change) -> Course:
    return Course([Change(START, Kind.ACTIVATE, 10, RATE, Rate(820)), *changes])


def may(wanted: int, on: int, *changes: Change) -> bool:
    try:
        check_quantity(course(*changes), wanted, today=day(on), term_start=START, window=WINDOW)
    except ChangeRefused:
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
    assert may(wanted, on, Change(day(20), Kind.QUANTITY, 15)) is allowed


def test_while_it_is_suspended_the_quantity_stays() -> None:
    suspended = Change(day(2), Kind.SUSPEND)
    assert not may(11, 3, suspended)
    assert may(11, 3, suspended, Change(day(3), Kind.REINSTATE))


@pytest.mark.parametrize(("on", "allowed"), [(0, True), (6, True), (7, False), (360, False)])
def test_it_is_cancelled_within_the_window_of_the_term(on: int, allowed: bool) -> None:
    if allowed:
        check_cancel(course(), today=day(on), term_start=START, window=WINDOW)
        return
    with pytest.raises(ChangeRefused, match="window closed"):
        check_cancel(course(), today=day(on), term_start=START, window=WINDOW)


def test_what_is_cancelled_is_not_changed() -> None:
    with pytest.raises(ChangeRefused, match="not active"):
        check_cancel(course(Change(day(1), Kind.CANCEL)), today=day(2), term_start=START, window=WINDOW)


def test_a_cycle_is_billed_stretch_by_stretch() -> None:
    """More seats, a dearer plan, some suspended days, and an end."""
    lived = course(
        Change(day(5), Kind.QUANTITY, 12),
        Change(day(10), Kind.PLAN, None, DEARER, Rate(900)),
        Change(day(20), Kind.SUSPEND),
        Change(day(22), Kind.REINSTATE),
        Change(day(25), Kind.CANCEL),
    )
    shared = [
        Stretch(day(0), day(5), 10, RATE),
        Stretch(day(5), day(10), 12, RATE),
        Stretch(day(10), day(20), 12, DEARER),
    ]
    suspended, rest = Stretch(day(20), day(22), 12, DEARER), Stretch(day(22), day(25), 12, DEARER)
    assert lived.billed(APRIL, credits_suspension=True) == [*shared, rest]
    assert lived.billed(APRIL, credits_suspension=False) == [*shared, suspended, rest]
    assert [one.rate.price for one in lived.owed(APRIL, bills_while_suspended=True)] == [820, 820, 900, 900, 900]
    assert lived.billed(Cycle(date(2026, 5, 1), date(2026, 6, 1)), credits_suspension=True) == []
    assert (lived.end, lived.changed_on, lived.begun_on) == (day(25), day(25), START)


def test_it_does_not_matter_when_the_news_comes() -> None:
    more, suspended = Change(day(10), Kind.QUANTITY, 12), Change(day(5), Kind.SUSPEND)
    assert list(course(more, suspended).states()) == list(course(suspended, more).states())


def test_of_one_day_the_later_word_counts() -> None:
    twice = course(Change(day(3), Kind.QUANTITY, 12), Change(day(3), Kind.QUANTITY, 8))
    assert twice.billed(APRIL, credits_suspension=True) == [
        Stretch(day(0), day(3), 10, RATE),
        Stretch(day(3), day(30), 8, RATE),
    ]
