"""Rules of receivables by examples worked out by hand; amounts are minor units."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.invoicing.receivables.domain import invoice_balances
from services.invoicing.receivables.domain.invoice_balances import (
    Allocation,
    AmountAboveBalance,
    Invoice,
    InvoiceLine,
    Payment,
    UnknownInvoiceLine,
)


def build_invoice(number: int, *lines: InvoiceLine, due: int = 1) -> Invoice:
    return Invoice(UUID(int=number), UUID(int=99), f"GS-{number}", "EUR", date(2026, 4, due), lines)


def build_payment(number: int, amount: int, day: int = 1) -> Payment:
    return Payment(UUID(int=number), amount, amount, datetime(2026, 5, day, tzinfo=UTC))


TWO_LINES = build_invoice(1, InvoiceLine(2, None, 30, paid=5), InvoiceLine(1, None, 10))


def test_named_lines_are_paid_with_named_amounts() -> None:
    result = invoice_balances.pay_invoice_lines(TWO_LINES, build_payment(7, 40), [(2, 25), (1, 3)])
    assert result.allocations == (
        Allocation(UUID(int=7), UUID(int=1), 2, 25),
        Allocation(UUID(int=7), UUID(int=1), 1, 3),
    )
    assert [line.paid for line in result.invoices[UUID(int=1)].lines] == [30, 3]
    assert result.payments[UUID(int=7)].unapplied == 12


def test_named_lines_are_paid_up_to_the_payment_and_to_what_is_open() -> None:
    assert invoice_balances.pay_invoice_lines(TWO_LINES, build_payment(7, 25), [(2, 25)]).payments == {
        UUID(int=7): Payment(UUID(int=7), 25, 0, datetime(2026, 5, 1, tzinfo=UTC))
    }
    with pytest.raises(AmountAboveBalance, match="more than the payment"):
        invoice_balances.pay_invoice_lines(TWO_LINES, build_payment(7, 24), [(2, 25)])
    with pytest.raises(AmountAboveBalance, match="line 2 of invoice GS-1 has 25 open"):
        invoice_balances.pay_invoice_lines(TWO_LINES, build_payment(7, 40), [(2, 26)])
    with pytest.raises(UnknownInvoiceLine, match="line 2 is named twice"):
        invoice_balances.pay_invoice_lines(TWO_LINES, build_payment(7, 40), [(2, 1), (2, 1)])
    with pytest.raises(UnknownInvoiceLine, match="no line 3"):
        invoice_balances.pay_invoice_lines(TWO_LINES, build_payment(7, 40), [(3, 1)])


def test_a_whole_invoice_is_paid_by_line_number_also_what_is_disputed() -> None:
    disputed = build_invoice(1, InvoiceLine(2, None, 30, paid=5), InvoiceLine(1, None, 10, reserved=10))
    result = invoice_balances.pay_whole_invoice(disputed, build_payment(7, 12))
    assert [(part.line, part.amount) for part in result.allocations] == [(1, 10), (2, 2)]
    assert result.payments[UUID(int=7)].unapplied == 0


def test_unapplied_cash_pays_the_oldest_that_is_due() -> None:
    """Invoice 3 is due first; 1 and 2 on one day, so their numbers decide; what is disputed of 2 is left alone."""
    invoices = [
        build_invoice(2, InvoiceLine(1, None, 10, reserved=4), due=2),
        build_invoice(1, InvoiceLine(1, None, 10, in_flight=1), due=2),
        build_invoice(3, InvoiceLine(1, None, 10), due=1),
    ]
    payments = [build_payment(9, 5, day=2), build_payment(8, 7, day=2), build_payment(70, 4, day=1)]
    result = invoice_balances.allocate_unapplied_cash(invoices, payments)
    assert [(part.payment_id.int, part.invoice_id.int, part.amount) for part in result.allocations] == [
        (70, 3, 4),
        (8, 3, 6),
        (8, 1, 1),
        (9, 1, 5),
    ]
    more = invoice_balances.allocate_unapplied_cash(invoices, [build_payment(7, 100)])
    assert [(part.invoice_id.int, part.amount) for part in more.allocations] == [(3, 10), (1, 9), (2, 6)]
    assert more.payments[UUID(int=7)].unapplied == 75


def test_an_advice_pays_each_invoice_with_its_amount() -> None:
    invoices = {UUID(int=1): TWO_LINES, UUID(int=2): build_invoice(2, InvoiceLine(1, None, 10))}
    advice = [(UUID(int=2), 10), (UUID(int=1), 12)]
    result = invoice_balances.pay_by_remittance_advice(invoices, build_payment(7, 22), advice)
    assert [(part.invoice_id.int, part.line, part.amount) for part in result.allocations] == [
        (2, 1, 10),
        (1, 1, 10),
        (1, 2, 2),
    ]
    assert result.payments[UUID(int=7)].unapplied == 0


@pytest.mark.parametrize(
    ("advice", "amount", "words"),
    [
        ([(1, 1), (1, 1)], 40, "^the remittance names an invoice twice$"),
        ([(1, 20), (2, 3)], 22, "^the remittance adds up to more than the payment$"),
        ([(2, 11)], 22, "^invoice GS-2 has 10 open$"),
    ],
)
def test_an_advice_above_what_there_is_is_refused(advice: list[tuple[int, int]], amount: int, words: str) -> None:
    invoices = {UUID(int=1): TWO_LINES, UUID(int=2): build_invoice(2, InvoiceLine(1, None, 10))}
    with pytest.raises(AmountAboveBalance, match=words):
        invoice_balances.pay_by_remittance_advice(
            invoices, build_payment(7, amount), [(UUID(int=number), part) for number, part in advice]
        )


def test_what_is_reversed_is_open_or_written_off_again() -> None:
    paid = build_invoice(1, InvoiceLine(1, None, 30, paid=30), InvoiceLine(2, None, 10, paid=10))
    parts = [
        Allocation(UUID(int=7), UUID(int=1), 1, 20),
        Allocation(UUID(int=7), UUID(int=1), 1, 6, is_recovery=True),
        Allocation(UUID(int=7), UUID(int=1), 2, 1),
    ]
    (first, second) = invoice_balances.reverse_payment_allocations({UUID(int=1): paid}, parts)[UUID(int=1)].lines
    assert (first.paid, first.written_off, first.open_minor) == (4, 6, 20)
    assert (second.paid, second.written_off) == (9, 0)


def test_lines_are_reserved_paid_or_not_up_to_their_amount() -> None:
    invoice = build_invoice(1, InvoiceLine(1, None, 30, paid=30, reserved=10), InvoiceLine(2, None, 10))
    reserved = invoice_balances.reserve_invoice_lines(invoice, [(1, 20), (2, 3)])
    assert [line.reserved for line in reserved.lines] == [30, 3]
    assert invoice_balances.release_invoice_lines(reserved, [(1, 20), (2, 3)]) == invoice
    with pytest.raises(AmountAboveBalance, match="line 1 of invoice GS-1 has 20 that can be disputed"):
        invoice_balances.reserve_invoice_lines(invoice, [(1, 21)])
    with pytest.raises(UnknownInvoiceLine):
        invoice_balances.reserve_invoice_lines(invoice, [(2, 1), (2, 1)])
