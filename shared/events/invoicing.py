"""What invoicing announces: what is owed, by whom, and what was bought. Amounts are minor units."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.base import AccountEvent, Event
from shared.events.values import LineBalance, Value


class InvoicingEvent(AccountEvent, abstract=True):
    """An event of invoicing; the subject is the account."""

    producer: ClassVar[str] = "invoicing"


class AccountRegistered(InvoicingEvent):
    """A billing customer exists from now on."""

    legal_entity: str
    currency: str
    time_zone: str = Field(description="IANA name; due dates and steps are in this zone")
    terms_days: int
    external_reference: str | None
    vendor_customer_ids: tuple[str, ...]


class AccountChanged(AccountRegistered):
    """The master data of an account as they are now."""


class SubscriptionActivated(InvoicingEvent):
    """A subscription was bought; `bills_while_suspended` says whether the vendor bills on then."""

    subscription_id: UUID
    product: str
    quantity: int
    start: date
    end_of_term: date | None
    vendor_customer_id: str
    vendor_subscription_id: str
    bills_while_suspended: bool


class InvoiceBalance(Value):
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
    """At the local midnight `judged_at` something of the invoice was due and neither disputed nor in flight."""

    judged_at: datetime
    balance: InvoiceBalance


class InvoicePaid(InvoicingEvent):
    """Nothing of the invoice is open any more."""

    invoice_id: UUID
    number: str


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


class ReconciliationSum(Value):
    """All comparisons of one verdict, of how many lines of the file, and the sums of both sides without tax."""

    verdict: str
    comparisons: int
    lines: int
    billed_minor: int
    expected_minor: int


class ReconciliationCompleted(VendorEvent):
    """The vendor's lines were compared with what we expected; `status` is clean, differences or not_compared."""

    reconciliation_id: UUID
    replaces: UUID | None
    number: str
    currency: str
    file_sha256: str
    status: str
    lines: int
    sums: tuple[ReconciliationSum, ...]


class VendorDifferenceDecided(VendorEvent):
    """A person decided about a difference. `difference_minor` above zero: the vendor bills more than we expected."""

    difference_id: UUID
    account_id: UUID | None
    subscription_id: UUID | None
    verdict: str
    decision: str
    difference_minor: int
    currency: str
