"""The state of a subscription on a day, and the windows in which it may be changed, to the day."""

from datetime import date

import pytest

from services.invoicing.subscriptions.domain.proration import (
    BillingCycle,
    ChargePeriod,
    SubscriptionUnitRate,
    compute_prorated_charge_differences,
)
from services.invoicing.subscriptions.domain.subscription_history import (
    ChangeKind,
    SubscriptionChange,
    SubscriptionChangeRefused,
    SubscriptionHistory,
    check_cancellation_window,
    check_quantity_change,
    compute_subscription_state,
)

START, SEATS, COST = date(2026, 3, 10), SubscriptionUnitRate(300, "plan", 1), SubscriptionUnitRate(200, "plan", 1)
BOUGHT = SubscriptionHistory([SubscriptionChange(START, ChangeKind.ACTIVATE, 5, SEATS, COST)])


def day(number: int) -> date:
    """A day of March 2026."""
    return date(2026, 3, number)


@pytest.mark.parametrize(
    ("today", "ended_on", "will_end", "state"),
    [
        (9, None, False, "upcoming"),
        (10, None, False, "active"),
        (9, None, True, "ending"),
        (10, None, True, "ending"),
        (19, 20, False, "active"),
        (19, 20, True, "ending"),
        (20, 20, False, "ended"),
        (20, 20, True, "ended"),
        (21, 20, False, "ended"),
    ],
)
def test_the_state_on_a_day(today: int, ended_on: int | None, will_end: bool, state: str) -> None:
    ended = day(ended_on) if ended_on else None
    assert compute_subscription_state(day(today), START, ended, will_end=will_end) == state


def test_the_window_closes_so_many_days_after_the_term_began() -> None:
    check_cancellation_window(BOUGHT, today=day(16), term_start=START, window=7)
    with pytest.raises(SubscriptionChangeRefused, match="closed 7 days after 2026-03-10"):
        check_cancellation_window(BOUGHT, today=day(17), term_start=START, window=7)
    with pytest.raises(SubscriptionChangeRefused, match="not active"):
        check_cancellation_window(BOUGHT, today=day(9), term_start=START, window=7)


def test_seats_are_given_back_down_to_what_there_was_at_the_beginning_of_the_window() -> None:
    """Five seats since the 10th, eight since the 20th; the window looks back seven days."""
    grown = BOUGHT.add_subscription_change(SubscriptionChange(day(20), ChangeKind.QUANTITY, 8))
    check_quantity_change(grown, 5, today=day(26), term_start=START, window=7)
    words = r"^only seats added within 7 days can be given back now; at renewal all can$"
    with pytest.raises(SubscriptionChangeRefused, match=words):
        check_quantity_change(grown, 4, today=day(26), term_start=START, window=7)
    with pytest.raises(SubscriptionChangeRefused):
        check_quantity_change(grown, 7, today=day(27), term_start=START, window=7)
    check_quantity_change(grown, 8, today=day(27), term_start=START, window=7)
    check_quantity_change(BOUGHT, 0, today=day(16), term_start=START, window=7)
    with pytest.raises(SubscriptionChangeRefused):
        check_quantity_change(BOUGHT, 4, today=day(17), term_start=START, window=7)
    renewed = grown.add_subscription_change(SubscriptionChange(day(25), ChangeKind.RENEW))
    check_quantity_change(renewed, 0, today=day(27), term_start=day(25), window=7)


def test_what_a_suspension_credits_and_what_the_vendor_charges() -> None:
    """Suspended from the 15th up to the 18th, on which it is billed again; cancelled on the 20th."""
    history = SubscriptionHistory(
        [
            SubscriptionChange(START, ChangeKind.ACTIVATE, 5, SEATS, COST),
            SubscriptionChange(day(15), ChangeKind.SUSPEND),
            SubscriptionChange(day(18), ChangeKind.REINSTATE),
            SubscriptionChange(day(20), ChangeKind.CANCEL),
        ]
    )
    cycle = BillingCycle(day(1), day(31))
    days = [(10, 15), (15, 18), (18, 20)]
    customer = [ChargePeriod(day(begin), day(end), 5, SEATS) for begin, end in days]
    vendor = [ChargePeriod(day(begin), day(end), 5, COST) for begin, end in days]
    assert history.list_customer_billed_periods(cycle, credits_suspension=False) == customer
    assert history.list_customer_billed_periods(cycle, credits_suspension=True) == [customer[0], customer[2]]
    assert history.list_vendor_charged_periods(cycle, bills_while_suspended=True) == vendor
    assert history.list_vendor_charged_periods(cycle, bills_while_suspended=False) == [vendor[0], vendor[2]]
    assert (history.activated_on, history.last_changed_on, history.cancelled_on) == (day(10), day(20), day(20))


def test_a_cycle_before_the_activation_costs_nothing() -> None:
    before = BillingCycle(day(1), START)
    assert BOUGHT.list_customer_billed_periods(before, credits_suspension=True) == []
    assert BOUGHT.list_vendor_charged_periods(before, bills_while_suspended=True) == []


def test_a_suspension_lasts_while_other_things_change() -> None:
    suspended = BOUGHT.add_subscription_change(SubscriptionChange(day(15), ChangeKind.SUSPEND))
    changed = suspended.add_subscription_change(SubscriptionChange(day(16), ChangeKind.QUANTITY, 3))
    state = changed.get_subscription_state_on(day(17))
    assert state is not None
    assert (state.suspended, state.quantity, state.rate, state.vendor_rate) == (True, 3, SEATS, COST)


def test_a_day_has_the_state_after_its_last_change() -> None:
    changed = BOUGHT.add_subscription_change(SubscriptionChange(START, ChangeKind.QUANTITY, 3))
    assert [(begin, state.quantity) for begin, state in changed.list_subscription_states()] == [(START, 3)]


def test_what_the_vendor_has_no_rate_for_costs_us_nothing() -> None:
    (_, state), *_ = SubscriptionHistory(
        [SubscriptionChange(START, ChangeKind.ACTIVATE, 5, SEATS)]
    ).list_subscription_states()
    assert state.vendor_rate == SubscriptionUnitRate(0)


def test_neighbours_of_one_quantity_and_rate_are_one_period() -> None:
    charged = [ChargePeriod(day(1), day(5), 5, SEATS), ChargePeriod(day(5), day(11), 5, SEATS)]
    wanted = [ChargePeriod(day(1), day(11), 7, SEATS)]
    assert compute_prorated_charge_differences(charged, wanted) == [
        ChargePeriod(day(1), day(11), -5, SEATS),
        ChargePeriod(day(1), day(11), 7, SEATS),
    ]
    apart = [ChargePeriod(day(1), day(5), 5, SEATS), ChargePeriod(day(7), day(11), 5, SEATS)]
    assert compute_prorated_charge_differences(apart, []) == [
        ChargePeriod(day(1), day(5), -5, SEATS),
        ChargePeriod(day(7), day(11), -5, SEATS),
    ]
