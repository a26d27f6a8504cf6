"""The state of an invoice, which nobody stores: it follows from what is open and whether that is overdue."""

from datetime import datetime
from enum import StrEnum


class InvoiceState(StrEnum):
    """Where an invoice is; `closed` is one of which nothing is open."""

    OPEN = "open"
    OVERDUE = "overdue"
    CLOSED = "closed"


def compute_invoice_state(open_minor: int, overdue_at: datetime | None) -> InvoiceState:
    """Compute the state of an invoice.

    `repository.invoice_search.COMPUTE_INVOICE_STATE` does it for a list, and `STATE_CONDITIONS` there finds by it.
    """
    if open_minor == 0:
        return InvoiceState.CLOSED
    return InvoiceState.OPEN if overdue_at is None else InvoiceState.OVERDUE
