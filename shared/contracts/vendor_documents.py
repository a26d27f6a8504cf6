"""Invoices of the vendor and their differences to what was expected; minor units."""

from uuid import UUID

from shared.contracts.answers import AnswerContract


class ContestableVendorInvoice(AnswerContract):
    """Invoice of the vendor; the total is with tax."""

    number: str
    legal_entity: str
    currency: str
    total_minor: int


class ContestableDifference(AnswerContract):
    """Difference of a line, by the vendor invoice that it is of."""

    vendor_invoice_id: UUID
    currency: str


class ComparedVendorLine(AnswerContract):
    """Line of ours beside the vendor's, as a ticket carries it: dates, ids and quantities stay text."""

    id: str
    product: str | None
    charge_type: str
    period_from: str | None
    period_to: str | None
    verdict: str
    cause: str
    billed_quantity: str
    expected_quantity: str
    billed_minor: int
    expected_minor: int
    currency: str
