"""Chargebacks by examples worked out by hand; amounts are minor units."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.invoicing.payments.domain.chargebacks import (
    ChargedBackPart,
    PaidLineAmount,
    is_same_charged_part,
    pay_won_chargeback_lines,
    release_charged_back_lines,
    reopen_charged_back_lines,
    take_charged_back_part,
)
from services.invoicing.receivables.domain.invoice_balances import (
    Allocation,
    AmountAboveBalance,
    Invoice,
    InvoiceLine,
    Payment,
)

INVOICE, PAYMENT = UUID(int=1), UUID(int=7)


def build_payment(unapplied: int) -> Payment:
    return Payment(PAYMENT, 100, unapplied, datetime(2026, 5, 1, tzinfo=UTC))


def pay(line: int, amount: int, *, is_recovery: bool = False) -> Allocation:
    return Allocation(PAYMENT, INVOICE, line, amount, is_recovery)


def want(line: int, amount: int) -> PaidLineAmount:
    return PaidLineAmount(INVOICE, line, amount)


def build_invoice(*lines: InvoiceLine) -> Invoice:
    return Invoice(INVOICE, UUID(int=2), "GS-1", "EUR", date(2026, 4, 1), lines)


@pytest.mark.parametrize(
    ("amount", "allocations", "cash"),
    [
        (10, (), 10),
        (11, (pay(2, 1),), 10),
        (25, (pay(2, 15),), 10),
        (50, (pay(1, 10), pay(2, 30)), 10),
        (60, (pay(1, 20), pay(2, 30)), 10),
    ],
)
def test_cash_is_taken_first_and_then_what_was_paid_last(
    amount: int, allocations: tuple[Allocation, ...], cash: int
) -> None:
    part = take_charged_back_part(build_payment(10), [pay(1, 20), pay(2, 30)], amount)
    assert (part.allocations, part.cash) == (allocations, cash)


def test_no_more_is_taken_than_is_left_of_the_payment() -> None:
    with pytest.raises(AmountAboveBalance, match="has 60 left"):
        take_charged_back_part(build_payment(10), [pay(1, 20), pay(2, 30)], 61)


def test_what_is_of_one_line_is_one_but_for_what_had_been_written_off() -> None:
    allocations = [pay(2, 1), pay(1, 5), pay(1, 3, is_recovery=True), pay(1, 7)]
    part = take_charged_back_part(build_payment(0), allocations, 16)
    assert part.allocations == (pay(1, 12), pay(1, 3, is_recovery=True), pay(2, 1))
    assert part.reopened_allocations == (pay(1, 12), pay(2, 1))


def test_parts_are_kept_by_invoice_line_and_what_they_paid() -> None:
    other = replace(pay(1, 2), invoice_id=UUID(int=9))
    part = take_charged_back_part(build_payment(0), [pay(2, 5), pay(2, 3, is_recovery=True), other], 10)
    assert part.allocations == (pay(2, 5), pay(2, 3, is_recovery=True), other)


def test_named_lines_are_taken_as_wanted() -> None:
    paid = [pay(1, 20), pay(2, 30)]
    both = take_charged_back_part(build_payment(10), paid, 8, [want(2, 3), want(1, 5)])
    assert (both.allocations, both.cash) == ((pay(1, 5), pay(2, 3)), 0)
    part = take_charged_back_part(build_payment(10), paid, 20, [want(1, 5), want(1, 10)])
    assert (part.allocations, part.cash) == ((pay(1, 15),), 5)
    assert take_charged_back_part(build_payment(10), paid, 25, [want(1, 15)]).cash == 10
    assert take_charged_back_part(build_payment(10), paid, 20, [want(1, 20)]).cash == 0


@pytest.mark.parametrize(
    ("amount", "wanted", "words"),
    [
        (21, [want(1, 21)], "pays less of line 1"),
        (21, [want(1, 11), want(1, 10)], "pays less of line 1"),
        (14, [want(1, 15)], "with 10 of unapplied cash they do not add up to 14"),
        (26, [want(1, 15)], "with 10 of unapplied cash they do not add up to 26"),
    ],
)
def test_named_lines_must_fit(amount: int, wanted: list[PaidLineAmount], words: str) -> None:
    with pytest.raises(AmountAboveBalance, match=words):
        take_charged_back_part(build_payment(10), [pay(1, 20), pay(2, 30)], amount, wanted)


def test_a_part_is_the_same_if_its_lines_are() -> None:
    part = ChargedBackPart((pay(1, 12), pay(1, 3, is_recovery=True), pay(2, 1)), 4)
    assert is_same_charged_part(part, [])
    assert is_same_charged_part(part, [want(2, 1), want(1, 10), want(1, 5)])
    assert not is_same_charged_part(part, [want(1, 15)])
    assert not is_same_charged_part(part, [want(1, 12), want(2, 1)])


def test_lines_are_open_again_and_reserved_until_they_are_released() -> None:
    invoice = build_invoice(InvoiceLine(1, None, 20, paid=20), InvoiceLine(2, None, 9, paid=9, charged_back=2))
    part = ChargedBackPart((pay(1, 12), pay(1, 3, is_recovery=True), pay(2, 5)), 0)
    reopened = reopen_charged_back_lines({INVOICE: invoice}, part)
    first, second = reopened[INVOICE].lines
    assert (first.paid, first.written_off, first.charged_back, first.due_minor) == (5, 3, 12, 0)
    assert (second.paid, second.charged_back) == (4, 7)
    released = release_charged_back_lines(reopened, part)[INVOICE].lines
    assert [(line.charged_back, line.due_minor) for line in released] == [(0, 12), (2, 3)]


def test_what_is_won_pays_its_lines_again_as_they_were_paid() -> None:
    """The second line was credited 2 meanwhile, so 2 of what came back stay unapplied."""
    invoice = build_invoice(
        InvoiceLine(1, None, 20, paid=5, written_off=3, charged_back=12),
        InvoiceLine(2, None, 9, paid=4, credited=2, charged_back=5),
    )
    part = ChargedBackPart((pay(1, 12), pay(1, 3, is_recovery=True), pay(2, 5)), 0)
    result = pay_won_chargeback_lines({INVOICE: invoice}, build_payment(20), part)
    assert result.allocations == (*part.allocations[:2], pay(2, 3))
    first, second = result.invoices[INVOICE].lines
    assert (first.paid, first.written_off, first.charged_back) == (20, 0, 0)
    assert (second.paid, second.charged_back, second.open_minor) == (7, 0, 0)
    assert result.payments[PAYMENT].unapplied == 2


def test_what_was_written_off_meanwhile_is_recovered_and_the_other_way_round() -> None:
    given_up = build_invoice(InvoiceLine(1, None, 20, written_off=20, charged_back=12))
    result = pay_won_chargeback_lines({INVOICE: given_up}, build_payment(12), ChargedBackPart((pay(1, 12),), 0))
    assert result.allocations == (pay(1, 12, is_recovery=True),)
    assert [(line.paid, line.written_off) for line in result.invoices[INVOICE].lines] == [(12, 8)]
    reopened = build_invoice(InvoiceLine(1, None, 20))
    part = ChargedBackPart((replace(pay(1, 7), is_recovery=True),), 0)
    again = pay_won_chargeback_lines({INVOICE: reopened}, build_payment(7), part)
    assert again.allocations == (pay(1, 7),)
