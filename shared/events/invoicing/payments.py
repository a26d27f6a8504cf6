"""Payments and credit notes. Amounts are minor units."""

from uuid import UUID

from shared.events.invoicing.base import InvoicingEvent
from shared.events.values import Value


class Allocated(Value):
    """A part of a payment that pays one line of an invoice."""

    invoice_id: UUID
    line: int
    amount_minor: int


class PaymentReceived(InvoicingEvent):
    """Money came in, and this is what it paid; the rest is unapplied cash."""

    payment_id: UUID
    amount_minor: int
    currency: str
    allocations: tuple[Allocated, ...]
    unapplied_minor: int


class UnappliedCashUsed(InvoicingEvent):
    """Unapplied cash of an earlier payment paid something."""

    payment_id: UUID
    currency: str
    allocations: tuple[Allocated, ...]
    unapplied_minor: int


class PaymentReversed(InvoicingEvent):
    """A payment was taken back (a returned debit, a bounced cheque); what it paid is open again."""

    payment_id: UUID
    amount_minor: int
    currency: str
    reopened: tuple[Allocated, ...]


class CreditNoteIssued(InvoicingEvent):
    """A credit note lowers what lines of an invoice have open; here for an upheld dispute."""

    credit_note_id: UUID
    number: str
    invoice_id: UUID
    dispute_id: UUID | None
    currency: str
    total_minor: int
    lines: tuple[Allocated, ...]
