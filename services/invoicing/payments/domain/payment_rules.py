"""Payments of named invoices, small differences, and amounts that direct debits carry."""

from collections.abc import Sequence
from dataclasses import replace

from services.invoicing.receivables.domain.invoice_balances import (
    Allocation,
    AmountAboveBalance,
    Invoice,
    PaidInvoicesAndPayments,
    Payment,
    merge_paid_invoices,
    pay_whole_invoice,
)
from shared.pure.shares import allocate_in_order

Wanted = Sequence[tuple[int, int]]
"""Numbers of lines, each with an amount."""


def take_back_payment_allocations(allocations: Sequence[Allocation], amount: int) -> list[Allocation]:
    """Take an amount of these allocations in their order, as far as they go."""
    shares = allocate_in_order(amount, (allocation.amount for allocation in allocations))
    return [replace(allocation, amount=share) for allocation, share in zip(allocations, shares, strict=True) if share]


def pay_named_invoice(invoice: Invoice, payment: Payment) -> PaidInvoicesAndPayments:
    """Pay an invoice that is named: what is open of it, then what had been written off, as far as the payment goes."""
    paid = pay_whole_invoice(invoice, payment)
    return merge_paid_invoices(paid, _recover(paid.invoices[invoice.id], paid.payments[payment.id]))


def _recover(invoice: Invoice, payment: Payment) -> PaidInvoicesAndPayments:
    lines, allocations = [], []
    shares = allocate_in_order(payment.unapplied, (line.written_off for line in invoice.lines))
    for line, share in zip(invoice.lines, shares, strict=True):
        if share:
            lines.append(replace(line, written_off=line.written_off - share, paid=line.paid + share))
            allocations.append(Allocation(payment.id, invoice.id, line.number, share, is_recovery=True))
    return PaidInvoicesAndPayments(
        {invoice.id: invoice.replace_invoice_lines(lines)},
        {payment.id: replace(payment, unapplied=payment.unapplied - sum(shares))},
        tuple(allocations),
    )


def write_off_small_balance(invoice: Invoice, tolerance: int) -> tuple[Invoice, list[tuple[int, int]]]:
    """Let go of a rest that is not worth a reminder; the invoice is then settled. What is held is left alone."""
    if not 0 < invoice.open_minor <= tolerance or invoice.due_minor != invoice.open_minor:
        return invoice, []
    cleared = [(line.number, line.open_minor) for line in invoice.lines if line.open_minor > 0]
    lines = [
        replace(invoice.get_invoice_line(number), credited=invoice.get_invoice_line(number).credited + amount)
        for number, amount in cleared
    ]
    return invoice.replace_invoice_lines(lines), cleared


def mark_invoice_in_flight(invoice: Invoice, amount: int | None) -> tuple[Invoice, list[tuple[int, int]]]:
    """A debit of what is due, or of an amount of it, is on its way to the bank. Raises AmountAboveBalance."""
    amount = invoice.due_minor if amount is None else amount
    if not 0 < amount <= invoice.due_minor:
        raise AmountAboveBalance(f"invoice {invoice.number} has {invoice.due_minor} that can be debited")
    shares = allocate_in_order(amount, (line.due_minor for line in invoice.lines))
    lines_in_flight = [(line.number, share) for line, share in zip(invoice.lines, shares, strict=True) if share]
    return _in_flight(invoice, lines_in_flight, 1), lines_in_flight


def clear_invoice_in_flight(invoice: Invoice, lines_in_flight: Wanted) -> Invoice:
    """The bank has answered: nothing of these amounts is in flight any more."""
    return _in_flight(invoice, lines_in_flight, -1)


def _in_flight(invoice: Invoice, lines_in_flight: Wanted, sign: int) -> Invoice:
    return invoice.replace_invoice_lines(
        replace(invoice.get_invoice_line(number), in_flight=invoice.get_invoice_line(number).in_flight + sign * amount)
        for number, amount in lines_in_flight
    )
