"""Invoices and what is open of them. Amounts are minor units."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from shared.events.invoicing.base import InvoicingEvent
from shared.events.values import EventValue, LineBalance


class InvoiceBalance(EventValue):
    """The whole balance of one invoice, and the same for each of its lines."""

    invoice_id: UUID
    number: str
    currency: str
    due_date: date
    total_minor: int
    open_minor: int
    disputed_minor: int
    in_flight_minor: int
    credited_minor: int
    written_off_minor: int
    lines: tuple[LineBalance, ...]


class InvoiceIssued(InvoicingEvent):
    """An invoice was issued; it never changes. `balance` is its first balance."""

    issue_date: date
    external_reference: str | None
    balance: InvoiceBalance


class InvoiceBalanceChanged(InvoicingEvent):
    """The balance of an invoice as it is now."""

    balance: InvoiceBalance


class InvoiceOverdue(InvoicingEvent):
    """At the local midnight `evaluated_at` something of the invoice was due and neither disputed nor in flight."""

    evaluated_at: datetime
    balance: InvoiceBalance


class InvoicePaid(InvoicingEvent):
    """Nothing of the invoice is open any more, and money paid the last of it."""

    invoice_id: UUID
    number: str


class InvoiceCredited(InvoicingEvent):
    """Nothing of the invoice is open any more, and a credit note took off the last of it."""

    invoice_id: UUID
    number: str


class InvoiceClosed(InvoicingEvent):
    """Nothing of the invoice is open any more, and what took off the last of it; a reversed payment reopens it."""

    invoice_id: UUID
    number: str
    closed_by: Literal["payment", "credit_note", "write_off"]
