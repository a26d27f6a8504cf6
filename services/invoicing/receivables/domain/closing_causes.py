"""The closing of an invoice: what took off the last of it."""

from typing import Literal

from services.invoicing.receivables.domain.invoice_balances import Invoice

ClosingCause = Literal["payment", "credit_note", "write_off"]


def find_invoice_closing_cause(before: Invoice, after: Invoice) -> ClosingCause:
    """Find what took off the last of an invoice that is open no more.

    Money comes first: a small balance that is let go with a payment closes the invoice as paid.
    """
    if sum(line.paid for line in after.lines) > sum(line.paid for line in before.lines):
        return "payment"
    if sum(line.credited for line in after.lines) > sum(line.credited for line in before.lines):
        return "credit_note"
    return "write_off"
