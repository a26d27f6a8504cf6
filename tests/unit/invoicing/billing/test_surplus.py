"""Surplus that a bill run gives back: worked examples, and what holds whatever was billed and reversed before."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.billing.domain.proration_credits import (
    ChargedSupply,
    CreditableInvoiceLine,
    DueCharge,
    SurplusLineCredits,
    credit_charge_reversal_surplus,
    sum_credits_by_supply,
)
from services.invoicing.subscriptions.domain.proration import BillingCycle

ANNA, BERT = UUID(int=1), UUID(int=2)
MARCH, APRIL, MAY = (BillingCycle(date(2026, month, 1), date(2026, month + 1, 1)) for month in (3, 4, 5))


def cycle(subscription: UUID, when: BillingCycle) -> ChargedSupply:
    return ChargedSupply(subscription, "cycle", when)


def due(number: int, supply: ChargedSupply, net: int, tax: int = 0) -> DueCharge:
    return DueCharge(UUID(int=number), supply, net, tax)


def build_billed_line(
    invoice: int, supply: ChargedSupply, amount: int, tax: int = 0, **more: int
) -> CreditableInvoiceLine:
    usual = {"line": 1, "credited": 0, "creditable": amount, "excess": 0}
    return CreditableInvoiceLine(UUID(int=invoice), supply=supply, amount=amount, tax=tax, **(usual | more))


def list_kept(surplus: SurplusLineCredits) -> dict[int, int]:
    return {charge.charge_id.int: charge.kept for charge in surplus.charges if charge.kept}


def list_settled(surplus: SurplusLineCredits) -> list[tuple[int, int, int, int]]:
    return [(charge.charge_id.int, charge.net, charge.tax, charge.kept) for charge in surplus.charges]


def test_a_charge_keeps_nothing_though_its_reversal_does() -> None:
    """The reversal of 10.00 uses up the charge of 4.00; of the 6.00 that are left 1.00 is credited."""
    charges = [due(1, cycle(ANNA, APRIL), -1_000), due(2, cycle(ANNA, APRIL), 400), due(3, cycle(BERT, MAY), 0)]
    surplus = credit_charge_reversal_surplus(charges, [build_billed_line(7, cycle(ANNA, APRIL), 100)])
    assert list_settled(surplus) == [(3, 0, 0, 0), (2, 400, 0, 0), (1, -500, 0, -500)]


def test_lines_with_an_excess_are_those_of_the_subscription_first() -> None:
    lines = [
        build_billed_line(6, cycle(BERT, MARCH), 500, excess=100),
        build_billed_line(7, cycle(ANNA, MARCH), 500, excess=60),
    ]
    surplus = credit_charge_reversal_surplus([due(1, cycle(ANNA, APRIL), -100)], lines)
    assert surplus.credits == ((UUID(int=7), 1, 60), (UUID(int=6), 1, 40))


def test_a_line_gives_back_once_what_it_has() -> None:
    """Two reversals of 0.40 want what one line has: 0.50 that can be credited, or an excess of 0.50."""
    charges = [due(1, cycle(ANNA, APRIL), -40), due(2, cycle(ANNA, MAY), -40)]
    for creditable, excess in ((50, 100), (500, 50)):
        line = build_billed_line(7, cycle(ANNA, MARCH), 500, creditable=creditable, excess=excess)
        surplus = credit_charge_reversal_surplus(charges, [line])
        assert surplus.credits == ((UUID(int=7), 1, 50),)
        assert list_kept(surplus) == {2: -30}


def test_the_tax_of_a_line_is_shared_in_order() -> None:
    """The line has 0.19 tax in 1.19: its first 0.59 have 0.09, the next 0.60 have 0.10: 0.80 − 0.50 net are kept."""
    charges = [due(1, cycle(ANNA, APRIL), -50, -9), due(2, cycle(ANNA, MAY), -80, -20)]
    line = build_billed_line(7, cycle(ANNA, MARCH), 119, 19, excess=119)
    assert list_kept(credit_charge_reversal_surplus(charges, [line])) == {2: -30}


def test_it_is_credited_on_the_line_that_the_reversal_takes_back() -> None:
    """12 → 11 seats for 28 of 30 days: −112.89 and +103.48; with 19 % −11.20 on the line of the 12 seats."""
    charges = [due(1, cycle(ANNA, APRIL), -11_289, -2_145), due(2, cycle(ANNA, APRIL), 10_348, 1_966)]
    lines = [build_billed_line(8, cycle(ANNA, APRIL), 13_434, 2_145), build_billed_line(7, cycle(BERT, APRIL), 99_999)]
    surplus = credit_charge_reversal_surplus(charges, lines)
    assert surplus.credits == ((UUID(int=8), 1, 1_120),)
    assert surplus.uncreditable_net_minor == 0
    assert list_settled(surplus) == [(2, 10_348, 1_966, 0), (1, -11_289, -2_145, 0)]


def test_the_last_line_comes_first_and_the_others_take_the_rest() -> None:
    """Cancelled after 10 → 12: of −112.89 the 18.81 that were collected of the second line, the rest of the first."""
    lines = [
        build_billed_line(8, cycle(ANNA, APRIL), 11_289, creditable=1_881),
        build_billed_line(7, cycle(ANNA, APRIL), 10_080),
        build_billed_line(6, cycle(ANNA, MARCH), 10_080),
    ]
    surplus = credit_charge_reversal_surplus([due(1, cycle(ANNA, APRIL), -11_289)], lines)
    assert surplus.credits == ((UUID(int=8), 1, 1_881), (UUID(int=7), 1, 9_408))


def test_charges_use_up_their_own_subscription_first_and_the_earliest_cycle() -> None:
    charges = [
        due(1, cycle(ANNA, MARCH), -500),
        due(2, cycle(ANNA, APRIL), -500),
        due(3, cycle(BERT, MARCH), -500),
        due(4, cycle(ANNA, MAY), 600),
    ]
    assert sum_credits_by_supply(charges) == {cycle(ANNA, APRIL): 400, cycle(BERT, MARCH): 500}
    fee = due(5, ChargedSupply(UUID(int=3), "setup", MAY), 450)
    assert sum_credits_by_supply([*charges, fee]) == {cycle(ANNA, APRIL): 400, cycle(BERT, MARCH): 50}


def test_a_set_up_is_not_taken_back_with_the_cycle() -> None:
    """Though both are of one subscription, and begin on one day."""
    lines = [
        build_billed_line(7, ChargedSupply(ANNA, "setup", APRIL), 10_000, line=2),
        build_billed_line(7, cycle(ANNA, APRIL), 5_000),
    ]
    surplus = credit_charge_reversal_surplus([due(1, cycle(ANNA, APRIL), -6_000)], lines)
    assert surplus.credits == ((UUID(int=7), 1, 5_000),)
    assert (surplus.uncreditable_net_minor, list_kept(surplus)) == (1_000, {1: -1_000})


def test_what_an_earlier_reversal_took_off_another_line_is_credited_where_it_belongs() -> None:
    """March's reversal of 94.08 was on April's invoice; now April is cancelled, of which 6.72 were collected."""
    lines = [
        build_billed_line(8, cycle(ANNA, APRIL), 10_080, creditable=672, excess=-9_408),
        build_billed_line(7, cycle(ANNA, MARCH), 10_080, excess=9_408),
    ]
    surplus = credit_charge_reversal_surplus([due(1, cycle(ANNA, APRIL), -10_080)], lines)
    assert surplus.credits == ((UUID(int=8), 1, 672), (UUID(int=7), 1, 9_408))


def test_what_no_line_can_take_stays_with_the_last_reversal() -> None:
    """100.00 of 119.95 were credited before: 19.95 are left to be credited of −111.96, 16.77 of it net.

    The tax of 19.15 was credited up to 15.96 (of 100.00, truncated): 3.19 are left, so 16.76 net; 94.08 − 16.76.
    """
    charges = [due(1, cycle(ANNA, APRIL), -4_000, -760), due(2, cycle(ANNA, APRIL), -5_408, -1_028)]
    surplus = credit_charge_reversal_surplus(
        charges, [build_billed_line(7, cycle(ANNA, APRIL), 11_995, 1_915, credited=10_000, creditable=1_995)]
    )
    assert surplus.credits == ((UUID(int=7), 1, 1_995),)
    assert (surplus.uncreditable_net_minor, list_kept(surplus)) == (7_732, {2: -5_408, 1: -2_324})
    assert sum(charge.net + charge.kept for charge in surplus.charges) == -9_408
    # of the tax of the first reversal 7.60 × 23.24 / 40.00 = 4.41 stay
    assert list_settled(surplus) == [(2, 0, 0, -5_408), (1, -1_676, -319, -2_324)]


def test_without_any_line_nothing_changes() -> None:
    surplus = credit_charge_reversal_surplus(
        [due(1, cycle(ANNA, APRIL), -900, -100), due(2, cycle(ANNA, MAY), 300)], []
    )
    assert surplus.credits == ()
    assert list_settled(surplus) == [(1, 0, 0, -900), (2, 0, 0, 300)]


def test_a_line_whose_tax_was_rounded_otherwise_is_credited_wholly_and_nothing_is_left() -> None:
    """The line's tax is 19.14, since it shared its rounding with others; that of its reversal alone is 19.15."""
    surplus = credit_charge_reversal_surplus(
        [due(1, cycle(ANNA, APRIL), -10_080, -1_915)], [build_billed_line(7, cycle(ANNA, APRIL), 11_994, 1_914)]
    )
    assert surplus.credits == ((UUID(int=7), 1, 11_994),)
    assert surplus.uncreditable_net_minor == 0


def test_a_rate_that_is_another_now_leaves_nothing_once_all_is_credited_without_tax() -> None:
    """The line was taxed with 15 %, its reversal with 20 %: 1.19 are credited, of which 1.01 are net."""
    surplus = credit_charge_reversal_surplus(
        [due(1, cycle(ANNA, APRIL), -100, -20)], [build_billed_line(7, cycle(ANNA, APRIL), 119, 18)]
    )
    assert surplus.credits == ((UUID(int=7), 1, 119),)
    assert (surplus.uncreditable_net_minor, list_kept(surplus)) == (0, {})


SUPPLIES = [cycle(who, when) for who in (ANNA, BERT) for when in (MARCH, APRIL, MAY)]
LINES = st.lists(
    st.tuples(st.sampled_from(SUPPLIES), st.integers(1, 3_000), st.integers(0, 20)).map(
        lambda drawn: (drawn[0], drawn[1], drawn[1] * drawn[2] // 100)
    ),
    min_size=1,
    max_size=8,
)
PARTS = st.lists(st.floats(0, 1), min_size=8, max_size=8)
CHARGES = st.lists(
    st.tuples(st.sampled_from(SUPPLIES), st.integers(-3_000, 1_000).filter(bool)), min_size=1, max_size=6
)


@given(lines=LINES, parts=PARTS, charges=CHARGES, rate=st.integers(0, 25))
def test_nothing_is_lost_or_given_twice(
    lines: list[tuple[ChargedSupply, int, int]], parts: list[float], charges: list[tuple[ChargedSupply, int]], rate: int
) -> None:
    due_ = [due(n, supply, net, round(net * rate / 100)) for n, (supply, net) in enumerate(charges)]
    total = sum(charge.charge_gross_minor for charge in due_)
    if total >= 0:
        return
    room = [
        build_billed_line(n, supply, amount, tax, credited=int(amount * part), creditable=amount - int(amount * part))
        for n, ((supply, amount, tax), part) in enumerate(zip(lines, parts, strict=False))
    ]
    surplus = credit_charge_reversal_surplus(due_, room)
    taken = Counter({invoice_id.int: amount for invoice_id, _, amount in surplus.credits})
    assert sum(sum_credits_by_supply(due_).values()) == -total
    assert taken.total() <= -total
    assert all(0 < taken[line.invoice_id.int] <= line.creditable for line in room if line.invoice_id.int in taken)
    assert all(
        charge.net + charge.kept == before.net for charge, before in zip(surplus.charges, reversed(due_), strict=True)
    ) or (not surplus.credits and [charge.kept for charge in surplus.charges] == [charge.net for charge in due_])
    if taken.total() == -total:
        assert surplus.uncreditable_net_minor == 0
    if rate == 0 and all(not tax for _, _, tax in lines) and surplus.credits:
        assert surplus.uncreditable_net_minor == -total - taken.total()


@dataclass
class Paid:
    """Billed and collected amounts, line by line, as an invoice's reversals lower its other lines."""

    lines: list[tuple[ChargedSupply, int]] = field(default_factory=list)
    collected: list[int] = field(default_factory=list)

    def invoice(self, rows: list[tuple[ChargedSupply, int]]) -> None:
        over = -sum(amount for _, amount in rows if amount < 0)
        for supply, amount in rows:
            used = min(over, max(0, amount))
            over -= used
            self.lines.append((supply, amount))
            self.collected.append(max(0, amount) - used)

    def worth(self) -> Counter[ChargedSupply]:
        sums: Counter[ChargedSupply] = Counter()
        for supply, amount in self.lines:
            sums[supply] += amount
        return sums

    def list_creditable_lines(self) -> list[CreditableInvoiceLine]:
        collected_by_supply: Counter[ChargedSupply] = Counter()
        for (supply, _), collected in zip(self.lines, self.collected, strict=True):
            collected_by_supply[supply] += collected
        worth = self.worth()
        return [
            build_billed_line(
                n, supply, amount, creditable=collected, excess=collected_by_supply[supply] - worth[supply]
            )
            for n, ((supply, amount), collected) in enumerate(zip(self.lines, self.collected, strict=True))
            if collected
        ]


@given(
    bills=st.lists(st.lists(st.tuples(st.sampled_from(SUPPLIES), st.integers(1, 500)), min_size=1), min_size=1),
    reversed_=st.lists(st.floats(0, 1), min_size=12, max_size=12),
)
def test_whatever_invoices_reversals_were_on_all_can_be_given_back(
    bills: list[list[tuple[ChargedSupply, int]]], reversed_: list[float]
) -> None:
    """Unless people credited something: so long, the lines have taken just what their supplies are worth."""
    paid = Paid()
    for rows, part in zip(bills, reversed_, strict=False):
        room, back = sum(amount for _, amount in rows) - 1, []
        for supply, worth in paid.worth().items():
            amount = min(int(worth * part), room)
            room -= amount
            back += [(supply, -amount)] if amount else []
        paid.invoice(back + rows)
    charges = [due(n, supply, -amount) for n, (supply, amount) in enumerate(paid.worth().items()) if amount]
    surplus = credit_charge_reversal_surplus(charges, paid.list_creditable_lines())
    assert surplus.uncreditable_net_minor == 0
    assert sum(amount for *_, amount in surplus.credits) == sum(paid.worth().values())
