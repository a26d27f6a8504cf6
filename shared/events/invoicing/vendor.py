"""Events of what we owe the vendor. Amounts are minor units."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.events.base import Event
from shared.events.values import EventValue


class VendorEvent(Event, abstract=True):
    """An event about what we owe the vendor; the subject is the vendor invoice."""

    producer: ClassVar[str] = "invoicing"
    vendor_invoice_id: UUID

    def subject(self) -> str:
        """The vendor invoice."""
        return str(self.vendor_invoice_id)


class VendorInvoiceReceived(VendorEvent):
    """The vendor billed us, for charges from `period_from` until before `period_to`. The total is with tax."""

    number: str
    legal_entity: str
    currency: str
    invoice_date: date
    due_date: date
    period_from: date
    period_to: date
    total_minor: int
    tax_minor: int


class VendorPaymentDue(VendorEvent):
    """An alarm, once for an invoice: we have not paid it, and its due date is `days_left` days away (below 0: past)."""

    number: str
    legal_entity: str
    currency: str
    invoice_date: date
    due_date: date
    total_minor: int
    tax_minor: int
    days_left: int


class VendorInvoicePaid(VendorEvent):
    """We paid the vendor; less than the total if something was held back."""

    number: str
    legal_entity: str
    currency: str
    invoice_date: date
    due_date: date
    total_minor: int
    tax_minor: int
    paid_on: date
    paid_minor: int


class ReconciliationTotal(EventValue):
    """All comparisons of one verdict, of how many lines of the file, and the sums of both sides without tax."""

    verdict: str
    comparisons: int
    lines: int
    billed_minor: int
    expected_minor: int


class ReconciliationCompleted(VendorEvent):
    """The vendor's lines were compared with what we expected; `status` is clean, differences or not_compared."""

    reconciliation_id: UUID
    replaced_reconciliation_id: UUID | None
    number: str
    currency: str
    file_sha256: str
    status: str
    lines: int
    totals: tuple[ReconciliationTotal, ...]


class VendorCredit(EventValue):
    """A credit of the vendor's, without tax, by the ids that the vendor has for customer and subscription."""

    difference_id: UUID
    vendor_customer_id: str | None
    vendor_subscription_id: str | None
    amount_minor: int


class VendorCreditReceived(VendorEvent):
    """The vendor credits us on an invoice; of a reconciliation that was replaced the credits of the last one count.

    Many credits of one invoice are several events.
    """

    reconciliation_id: UUID
    currency: str
    credits: tuple[VendorCredit, ...]


class VendorDifferenceDecided(VendorEvent):
    """A person decided about a difference. `difference_minor` above zero: the vendor bills more than we expected."""

    difference_id: UUID
    account_id: UUID | None
    subscription_id: UUID | None
    verdict: str
    decision: str
    difference_minor: int
    currency: str
