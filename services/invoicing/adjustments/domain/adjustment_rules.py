"""Changes of a claim other than by payment: credit notes, write-offs, small balances, debits in flight.

Pure, like `invoice_balances`: values in, values out, minor units of one currency.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from services.invoicing.adjustments.domain.line_worth import InvoiceLineWorth
from services.invoicing.payments.domain.payment_rules import Wanted, take_back_payment_allocations
from services.invoicing.receivables.domain.invoice_balances import (
    Allocation,
    AmountAboveBalance,
    Invoice,
    InvoiceLine,
    Payment,
    check_invoice_line_numbers,
)
from shared.pure.shares import allocate_in_order


@dataclass(frozen=True, slots=True)
class CreditNoteEffect:
    """Effect of a credit note: the invoice after it, what it takes off each line, and what it frees of payments."""

    invoice: Invoice
    lines: tuple[tuple[int, int], ...]
    freed: tuple[Allocation, ...] = ()
    """Paid parts of the credited amounts, which are unapplied cash of their payments again."""


def compute_line_creditable_minor(line: InvoiceLine) -> int:
    """Compute what can be credited of a line: neither credited nor written off yet, paid or not.

    `COMPUTE_LINE_CREDITABLE_MINOR` of `proration_credit_queries` does it for the lines of a bill run's accounts.
    """
    return line.amount - line.credited - line.written_off


def credit_invoice_lines(invoice: Invoice, wanted: Wanted, paid: Iterable[Allocation]) -> CreditNoteEffect:
    """Credit amounts of lines: what is open of them first, then what was paid, newest payment first.

    `paid` is what pays the invoice, oldest first. Raises UnknownInvoiceLine, AmountAboveBalance.
    """
    check_invoice_line_numbers(number for number, _ in wanted)
    pays = [allocation for allocation in paid if allocation.invoice_id == invoice.id][::-1]
    lines, freed = [], []
    for number, amount in wanted:
        line = invoice.get_invoice_line(number)
        if amount > compute_line_creditable_minor(line):
            raise AmountAboveBalance(
                f"line {number} of invoice {invoice.number} has {compute_line_creditable_minor(line)} to be credited"
            )
        paid_part = amount - min(amount, line.open_minor)
        freed += take_back_payment_allocations(
            [allocation for allocation in pays if allocation.line == number], paid_part
        )
        lines.append(replace(line, credited=line.credited + amount, paid=line.paid - paid_part))
    return CreditNoteEffect(invoice.replace_invoice_lines(lines), tuple(wanted), tuple(freed))


def credit_lines_by_hand(
    invoice: Invoice, wanted: Wanted, paid: Iterable[Allocation], worth: InvoiceLineWorth
) -> CreditNoteEffect:
    """Credit what a person says, and never more of a supply than was billed of it and not given back.

    Raises UnknownInvoiceLine, AmountAboveBalance.
    """
    check_invoice_line_numbers(number for number, _ in wanted)
    for (number, amount), (_, share) in zip(wanted, worth.limit_credits_to_worth(list(wanted)), strict=True):
        if share < amount <= compute_line_creditable_minor(invoice.get_invoice_line(number)):
            raise AmountAboveBalance(
                f"line {number} of invoice {invoice.number} has {share} to be credited: the rest was given back"
                " by a change of its subscription"
            )
    return credit_invoice_lines(invoice, wanted, paid)


def credit_disputed_lines(
    invoice: Invoice, disputed_lines: Wanted, paid: Iterable[Allocation], worth: InvoiceLineWorth
) -> CreditNoteEffect:
    """Credit what an upheld dispute was about, as far as it was not credited or written off meanwhile."""
    creditable_lines = [
        (number, min(amount, compute_line_creditable_minor(invoice.get_invoice_line(number))))
        for number, amount in disputed_lines
    ]
    wanted = worth.limit_credits_to_worth(creditable_lines)
    return credit_invoice_lines(invoice, [(number, amount) for number, amount in wanted if amount > 0], paid)


def write_off_invoice(invoice: Invoice) -> tuple[Invoice, list[tuple[int, int]]]:
    """Give up what is open: it is open no more, and the claim stays beside.

    Raises AmountAboveBalance if nothing is.
    """
    given_up = [(line.number, line.open_minor) for line in invoice.lines if line.open_minor > 0]
    if not given_up:
        raise AmountAboveBalance(f"invoice {invoice.number} has nothing open")
    lines = [
        replace(invoice.get_invoice_line(number), written_off=invoice.get_invoice_line(number).written_off + amount)
        for number, amount in given_up
    ]
    return invoice.replace_invoice_lines(lines), given_up


def allocate_refund_to_payments(payments: Iterable[Payment], amount: int) -> list[tuple[UUID, int]]:
    """Allocate a refund to payments with unapplied cash, oldest first. Raises AmountAboveBalance."""
    oldest_first = sorted(payments, key=lambda payment: (payment.received_at, payment.id))
    shares = allocate_in_order(amount, (payment.unapplied for payment in oldest_first))
    if sum(shares) < amount:
        raise AmountAboveBalance(f"the account has {sum(shares)} of unapplied cash")
    return [(payment.id, share) for payment, share in zip(oldest_first, shares, strict=True) if share]
