"""Credit notes, write-offs and refunds by examples worked out by hand; amounts are minor units."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.invoicing.adjustments.domain.adjustment_rules import (
    allocate_refund_to_payments,
    compute_line_creditable_minor,
    credit_disputed_lines,
    credit_invoice_lines,
    credit_lines_by_hand,
    write_off_invoice,
)
from services.invoicing.adjustments.domain.line_worth import InvoiceLineWorth
from services.invoicing.receivables.domain.invoice_balances import (
    Allocation,
    AmountAboveBalance,
    Invoice,
    InvoiceLine,
    Payment,
    UnknownInvoiceLine,
)

INVOICE, OTHER_INVOICE = UUID(int=1), UUID(int=2)
OLD, NEW = UUID(int=11), UUID(int=12)
PAID = [
    Allocation(OLD, INVOICE, 1, 50),
    Allocation(OLD, OTHER_INVOICE, 1, 99),
    Allocation(NEW, INVOICE, 2, 99),
    Allocation(NEW, INVOICE, 1, 30),
]
"""Oldest first."""


def build_invoice(*lines: InvoiceLine) -> Invoice:
    return Invoice(INVOICE, UUID(int=3), "GS-1", "EUR", date(2026, 4, 1), lines)


def build_payment(number: int, unapplied: int, day: int) -> Payment:
    return Payment(UUID(int=number), 100, unapplied, datetime(2026, 4, day, tzinfo=UTC))


HALF_PAID = build_invoice(InvoiceLine(1, None, 100, paid=80), InvoiceLine(2, None, 99, paid=99))


def test_what_was_credited_or_given_up_cannot_be_credited() -> None:
    assert compute_line_creditable_minor(InvoiceLine(1, None, 100, paid=9, credited=20, written_off=30)) == 50


def test_a_credit_takes_what_is_open_first() -> None:
    effect = credit_invoice_lines(HALF_PAID, [(1, 20)], PAID)
    assert (effect.lines, effect.freed) == (((1, 20),), ())
    line = effect.invoice.get_invoice_line(1)
    assert (line.credited, line.paid, line.open_minor) == (20, 80, 0)


def test_a_credit_frees_the_newest_payment_of_its_line_next() -> None:
    """The 60 are 20 that are open, then 30 of the newer payment, then 10 of the older one."""
    effect = credit_invoice_lines(HALF_PAID, [(1, 60)], PAID)
    assert effect.freed == (Allocation(NEW, INVOICE, 1, 30), Allocation(OLD, INVOICE, 1, 10))
    line = effect.invoice.get_invoice_line(1)
    assert (line.credited, line.paid, line.open_minor) == (60, 40, 0)
    again = credit_invoice_lines(effect.invoice, [(1, 5)], PAID)
    assert (again.invoice.get_invoice_line(1).credited, again.invoice.get_invoice_line(1).paid) == (65, 35)


def test_two_lines_are_credited_at_once() -> None:
    effect = credit_invoice_lines(HALF_PAID, [(1, 21), (2, 9)], PAID)
    assert effect.freed == (Allocation(NEW, INVOICE, 1, 1), Allocation(NEW, INVOICE, 2, 9))
    assert [line.credited for line in effect.invoice.lines] == [21, 9]


def test_a_line_is_credited_up_to_its_amount_and_once() -> None:
    assert credit_invoice_lines(HALF_PAID, [(1, 100)], PAID).invoice.get_invoice_line(1).paid == 0
    with pytest.raises(AmountAboveBalance, match="has 100 to be credited"):
        credit_invoice_lines(HALF_PAID, [(1, 101)], PAID)
    with pytest.raises(UnknownInvoiceLine):
        credit_invoice_lines(HALF_PAID, [(1, 1), (1, 1)], PAID)


WORTH = InvoiceLineWorth({1: 5, 2: 5}, {5: 60})
"""Both lines are of one supply, of which 60 are left."""


def test_credits_of_a_supply_are_limited_together() -> None:
    assert WORTH.limit_credits_to_worth([(1, 40), (2, 40), (3, 70)]) == [(1, 40), (2, 20), (3, 70)]
    assert WORTH.limit_credits_to_worth([(1, 60), (2, 1)]) == [(1, 60), (2, 0)]
    assert InvoiceLineWorth({1: 5}).limit_credits_to_worth([(1, 1)]) == [(1, 0)]


def test_a_person_credits_what_a_supply_is_worth_and_no_more() -> None:
    effect = credit_lines_by_hand(HALF_PAID, [(1, 60)], PAID, WORTH)
    assert effect.freed == (Allocation(NEW, INVOICE, 1, 30), Allocation(OLD, INVOICE, 1, 10))
    for amount in (61, 100):
        with pytest.raises(
            AmountAboveBalance, match="has 60 to be credited: the rest was given back by a change of its subscription"
        ):
            credit_lines_by_hand(HALF_PAID, [(1, amount)], PAID, WORTH)
    with pytest.raises(AmountAboveBalance, match=r"has 100 to be credited$"):
        credit_lines_by_hand(HALF_PAID, [(1, 101)], PAID, WORTH)
    with pytest.raises(UnknownInvoiceLine):
        credit_lines_by_hand(HALF_PAID, [(1, 1), (1, 1)], PAID, WORTH)


def test_a_dispute_is_credited_as_far_as_something_is_left() -> None:
    """There are 70 left of the first line, nothing of the second, and 1 of the third."""
    invoice = build_invoice(
        InvoiceLine(1, None, 100, credited=30), InvoiceLine(2, None, 9, written_off=9), InvoiceLine(3, None, 1)
    )
    disputed = [(1, 100), (2, 9), (3, 1)]
    assert credit_disputed_lines(invoice, disputed, [], InvoiceLineWorth()).lines == ((1, 70), (3, 1))
    assert credit_disputed_lines(invoice, [(1, 40)], [], InvoiceLineWorth()).lines == ((1, 40),)
    assert credit_disputed_lines(invoice, disputed, [], WORTH).lines == ((1, 60), (3, 1))
    effect = credit_disputed_lines(HALF_PAID, [(1, 30)], PAID, InvoiceLineWorth())
    assert effect.freed == (Allocation(NEW, INVOICE, 1, 10),)


def test_what_is_open_is_given_up() -> None:
    invoice = build_invoice(
        InvoiceLine(1, None, 100, paid=20, written_off=30), InvoiceLine(2, None, 9, paid=9), InvoiceLine(3, None, 1)
    )
    after, amounts = write_off_invoice(invoice)
    assert amounts == [(1, 50), (3, 1)]
    assert [line.written_off for line in after.lines] == [80, 0, 1]
    with pytest.raises(AmountAboveBalance):
        write_off_invoice(after)


def test_a_refund_is_of_the_oldest_unapplied_cash() -> None:
    """Two payments came at the same time: the lower id is first."""
    payments = [build_payment(4, 30, 2), build_payment(3, 5, 2), build_payment(9, 10, 1), build_payment(2, 0, 1)]
    assert allocate_refund_to_payments(payments, 12) == [(UUID(int=9), 10), (UUID(int=3), 2)]
    assert allocate_refund_to_payments(payments, 45)[-1] == (UUID(int=4), 30)
    with pytest.raises(AmountAboveBalance, match="has 45 of unapplied cash"):
        allocate_refund_to_payments(payments, 46)
