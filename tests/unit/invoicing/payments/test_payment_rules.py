"""Rules of payments by examples worked out by hand; amounts are minor units."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.invoicing.payments.domain.payment_rules import (
    clear_invoice_in_flight,
    mark_invoice_in_flight,
    pay_named_invoice,
    take_back_payment_allocations,
    write_off_small_balance,
)
from services.invoicing.receivables.domain.invoice_balances import (
    Allocation,
    AmountAboveBalance,
    Invoice,
    InvoiceLine,
    Payment,
)

INVOICE, PAYMENT = UUID(int=1), UUID(int=7)


def build_invoice(*lines: InvoiceLine) -> Invoice:
    return Invoice(INVOICE, UUID(int=2), "GS-1", "EUR", date(2026, 4, 1), lines)


def build_payment(amount: int) -> Payment:
    return Payment(PAYMENT, amount, amount, datetime(2026, 4, 2, tzinfo=UTC))


def test_what_is_taken_back_is_taken_in_order() -> None:
    first, second, third = (Allocation(PAYMENT, INVOICE, line, 10) for line in (1, 2, 3))
    assert take_back_payment_allocations([first, second, third], 15) == [first, replace(second, amount=5)]
    assert take_back_payment_allocations([first], 0) == []
    assert take_back_payment_allocations([first], 11) == [first]


def test_an_invoice_that_is_named_is_paid_and_then_what_was_written_off() -> None:
    """The first line has 200 open and 300 given up; the second line has nothing given up."""
    invoice = build_invoice(
        InvoiceLine(1, None, 500, written_off=300), InvoiceLine(2, None, 40), InvoiceLine(3, None, 90, written_off=90)
    )
    result = pay_named_invoice(invoice, build_payment(590))
    assert result.allocations == (
        Allocation(PAYMENT, INVOICE, 1, 200),
        Allocation(PAYMENT, INVOICE, 2, 40),
        Allocation(PAYMENT, INVOICE, 1, 300, is_recovery=True),
        Allocation(PAYMENT, INVOICE, 3, 50, is_recovery=True),
    )
    assert [(line.paid, line.written_off) for line in result.invoices[INVOICE].lines] == [(500, 0), (40, 0), (50, 40)]
    assert result.payments[PAYMENT].unapplied == 0
    assert pay_named_invoice(invoice, build_payment(700)).payments[PAYMENT].unapplied == 70


def test_a_small_balance_is_let_go_up_to_the_tolerance() -> None:
    """The first line has 3 open, and 3 of it were credited before; the second is paid."""
    invoice = build_invoice(InvoiceLine(1, None, 10, paid=4, credited=3), InvoiceLine(2, None, 5, paid=5))
    assert write_off_small_balance(invoice, 2) == (invoice, [])
    cleared, amounts = write_off_small_balance(invoice, 3)
    assert (amounts, cleared.open_minor) == ([(1, 3)], 0)
    assert [line.credited for line in cleared.lines] == [6, 0]


def test_a_balance_of_one_is_small_and_of_none_is_not() -> None:
    smallest = build_invoice(InvoiceLine(1, None, 1))
    assert write_off_small_balance(smallest, 1)[1] == [(1, 1)]
    assert write_off_small_balance(smallest, 0) == (smallest, [])
    paid = build_invoice(InvoiceLine(1, None, 5, paid=5))
    assert write_off_small_balance(paid, 9) == (paid, [])


@pytest.mark.parametrize("line", [InvoiceLine(1, None, 5, reserved=1), InvoiceLine(1, None, 5, in_flight=1)])
def test_a_small_balance_that_is_disputed_or_in_flight_stays(line: InvoiceLine) -> None:
    invoice = build_invoice(line)
    assert write_off_small_balance(invoice, 9) == (invoice, [])


def test_a_debit_is_of_what_is_due_by_line() -> None:
    """Due are 2 of the first line, of which 1 is in flight already, and 3 of the second."""
    invoice = build_invoice(InvoiceLine(1, None, 3, in_flight=1), InvoiceLine(2, None, 3), InvoiceLine(3, None, 0))
    whole, lines = mark_invoice_in_flight(invoice, None)
    assert (lines, [line.in_flight for line in whole.lines]) == ([(1, 2), (2, 3)], [3, 3, 0])
    part, lines = mark_invoice_in_flight(invoice, 4)
    assert (lines, [line.in_flight for line in part.lines]) == ([(1, 2), (2, 2)], [3, 2, 0])
    assert clear_invoice_in_flight(part, lines) == invoice
    assert mark_invoice_in_flight(invoice, 1)[1] == [(1, 1)]
    assert mark_invoice_in_flight(invoice, 5)[1] == [(1, 2), (2, 3)]


@pytest.mark.parametrize("amount", [0, -1, 6])
def test_a_debit_of_nothing_or_of_more_than_is_due_is_refused(amount: int) -> None:
    invoice = build_invoice(InvoiceLine(1, None, 5))
    with pytest.raises(AmountAboveBalance):
        mark_invoice_in_flight(invoice, amount)
    with pytest.raises(AmountAboveBalance):
        mark_invoice_in_flight(build_invoice(InvoiceLine(1, None, 5, paid=5)), None)
