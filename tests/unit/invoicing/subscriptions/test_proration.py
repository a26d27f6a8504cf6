"""Proration against the lines that the partner programme documents, and against days counted one by one."""

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.subscriptions.domain.proration import (
    BillingCycle,
    ChargePeriod,
    SubscriptionUnitRate,
    compute_prorated_charge_differences,
)

THIRTY = BillingCycle(date(2026, 4, 1), date(2026, 5, 1))
THIRTY_ONE = BillingCycle(date(2026, 3, 1), date(2026, 4, 1))
EURO, DOLLAR = SubscriptionUnitRate(1008), SubscriptionUnitRate(1200)


def rest(cycle: BillingCycle, days_left: int, quantity: int, rate: SubscriptionUnitRate) -> ChargePeriod:
    return ChargePeriod(cycle.end - timedelta(days=days_left), cycle.end, quantity, rate)


@pytest.mark.parametrize(
    ("cycle", "rate", "days_left", "old", "new", "amounts"),
    [
        (THIRTY, EURO, 28, 10, 12, [-9408, 11289]),
        (THIRTY, EURO, 28, 12, 8, [-11289, 7526]),
        (THIRTY_ONE, DOLLAR, 29, 10, 15, [-11225, 16838]),
        (THIRTY_ONE, DOLLAR, 26, 15, 25, [-15096, 25161]),
        (THIRTY_ONE, DOLLAR, 24, 25, 23, [-23225, 21367]),
        (THIRTY_ONE, DOLLAR, 22, 23, 20, [-19587, 17032]),
        (THIRTY_ONE, DOLLAR, 11, 20, 30, [-8516, 12774]),
    ],
)
def test_the_documented_lines_of_a_change(
    cycle: BillingCycle, rate: SubscriptionUnitRate, days_left: int, old: int, new: int, amounts: list[int]
) -> None:
    charged = [ChargePeriod(cycle.begin, cycle.end, old, rate)]
    wanted = [
        ChargePeriod(cycle.begin, rest(cycle, days_left, 1, rate).begin, old, rate),
        rest(cycle, days_left, new, rate),
    ]
    lines = compute_prorated_charge_differences(charged, wanted)
    assert [cycle.compute_prorated_amount(line) for line in lines] == amounts
    assert [(line.begin, line.end) for line in lines] == [(cycle.end - timedelta(days=days_left), cycle.end)] * 2


def test_a_whole_cycle_costs_the_price() -> None:
    assert THIRTY.compute_prorated_amount(ChargePeriod(THIRTY.begin, THIRTY.end, 10, EURO)) == 10_080


def test_what_is_charged_as_wanted_stays() -> None:
    line = ChargePeriod(THIRTY.begin, THIRTY.end, 10, EURO)
    assert compute_prorated_charge_differences([line], [line]) == []


COURSES = st.lists(
    st.tuples(
        st.integers(0, 29),
        st.integers(0, 40),
        st.sampled_from([EURO, SubscriptionUnitRate(999), SubscriptionUnitRate(1)]),
    ),
    max_size=6,
)


def course(changes: list[tuple[int, int, SubscriptionUnitRate]]) -> list[ChargePeriod]:
    """Stretches of a cycle of thirty days: each change holds from its day until the next."""
    if not changes:
        return []
    days = sorted({day: (quantity, rate) for day, quantity, rate in changes}.items())
    ends = [*(day for day, _ in days[1:]), THIRTY.cycle_day_count]
    first = THIRTY.begin
    return [
        ChargePeriod(first + timedelta(days=day), first + timedelta(days=end), quantity, rate)
        for (day, (quantity, rate)), end in zip(days, ends, strict=True)
        if quantity
    ]


def each_day(lines: list[ChargePeriod]) -> list[Counter[SubscriptionUnitRate]]:
    """The quantities of each day, by rate, counted without any rule of the code under test."""
    days = [Counter[SubscriptionUnitRate]() for _ in range(THIRTY.cycle_day_count)]
    for line in lines:
        for day in range((line.begin - THIRTY.begin).days, (line.end - THIRTY.begin).days):
            days[day][line.rate] += line.quantity
    return [Counter({rate: quantity for rate, quantity in day.items() if quantity}) for day in days]


@given(st.lists(COURSES, min_size=1, max_size=5))
def test_whatever_changes_the_lines_tile_the_cycle_and_add_up(
    courses: list[list[tuple[int, int, SubscriptionUnitRate]]],
) -> None:
    lines: list[ChargePeriod] = []
    for changes in courses:
        wanted = course(changes)
        lines += compute_prorated_charge_differences(lines, wanted)
        assert each_day(lines) == each_day(wanted)
        unit_days = sum(rate.price * quantity for day in each_day(wanted) for rate, quantity in day.items())
        difference = Fraction(sum(map(THIRTY.compute_prorated_amount, lines))) - Fraction(
            unit_days, THIRTY.cycle_day_count
        )
        assert abs(difference) <= len(lines)
        assert all(THIRTY.compute_prorated_amount(line) <= 0 for line in lines if line.is_reversal)
