"""Payments and credit notes. Amounts are minor units."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from shared.events.invoicing.base import InvoicingEvent
from shared.events.values import EventValue

DebitFailure = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}[0-9]{2}|other)$")]
"""Why a bank refused: a code of ISO 20022 (ExternalStatusReason), such as AC04, or `other`."""


class AllocatedAmount(EventValue):
    """A part of a payment that pays one line of an invoice."""

    invoice_id: UUID
    line: int
    amount_minor: int
    is_recovery: bool | None = None
    """It pays what had been written off."""


class FreedCash(EventValue):
    """An amount that had paid something and is unapplied cash of its payment again."""

    payment_id: UUID
    amount_minor: int


class PaymentReceived(InvoicingEvent):
    """Money came in, and this is what it paid; the rest is unapplied cash."""

    payment_id: UUID
    amount_minor: int
    currency: str
    allocations: tuple[AllocatedAmount, ...]
    unapplied_minor: int
    debit_id: UUID | None = None


class PaymentInitiated(InvoicingEvent):
    """A direct debit is on its way to the bank; its amounts are in flight until it is settled or failed."""

    debit_id: UUID
    invoice_id: UUID
    amount_minor: int
    currency: str
    lines: tuple[AllocatedAmount, ...]


class PaymentFailed(InvoicingEvent):
    """The bank refused a direct debit; nothing of it is in flight any more. Settled, it is `PaymentReceived`."""

    debit_id: UUID
    invoice_id: UUID
    amount_minor: int
    currency: str
    failure: DebitFailure


class UnappliedCashUsed(InvoicingEvent):
    """Unapplied cash of an earlier payment paid something."""

    payment_id: UUID
    currency: str
    allocations: tuple[AllocatedAmount, ...]
    unapplied_minor: int


class PaymentReversed(InvoicingEvent):
    """A payment was taken back (a returned debit, a bounced cheque); what it paid is open again."""

    payment_id: UUID
    amount_minor: int
    currency: str
    reopened_amounts: tuple[AllocatedAmount, ...]


class CreditNoteIssued(InvoicingEvent):
    """A credit note lowers what lines of an invoice have open; `freed_cash` is what of it had been paid."""

    credit_note_id: UUID
    number: str
    invoice_id: UUID
    dispute_id: UUID | None
    currency: str
    total_minor: int
    lines: tuple[AllocatedAmount, ...]
    reason_code: str = "dispute"
    freed_cash: tuple[FreedCash, ...] = ()


class InvoiceWrittenOff(InvoicingEvent):
    """A person gave up what was open of an invoice. It is open no more; the claim stays beside, and may be paid."""

    invoice_id: UUID
    number: str
    amount_minor: int
    currency: str
    reason_code: str


class SmallBalanceCleared(InvoicingEvent):
    """A rest that a payment left open of an invoice was too little for a reminder, and was let go."""

    invoice_id: UUID
    number: str
    amount_minor: int
    currency: str


class RefundEvent(InvoicingEvent, abstract=True):
    """About a refund of unapplied cash; `parts` says of which payments."""

    refund_id: UUID
    amount_minor: int
    currency: str
    parts: tuple[FreedCash, ...]


class RefundProposed(RefundEvent):
    """Unapplied cash is held for a refund until a second person decides."""


class RefundApproved(RefundEvent):
    """It is to be paid out: a second person agreed, or none is required, and nothing was proposed."""


class RefundDeclined(RefundEvent):
    """It stays the customer's unapplied cash."""
