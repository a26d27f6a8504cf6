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


class SubscriptionTerm(InvoicingEvent, abstract=True):
    """A subscription of a plan as it stands; ends are exclusive, amounts minor units."""

    subscription_id: UUID
    plan_id: UUID
    plan_version: int
    quantity: int
    unit_price_minor: int
    currency: str
    term_start: date
    term_end: date


class SubscriptionChanged(SubscriptionTerm):
    """Quantity, plan or price are others from `effective_on` on."""

    change_id: UUID
    kind: str
    effective_on: date


class SubscriptionEnded(SubscriptionTerm):
    """The subscription is cancelled, now or at the end of its term: nothing is charged from `ended_on` on."""

    ended_on: date


class PriceIn(Value):
    """The price of a plan in one currency: for one unit and period, and once at the start."""

    currency: str
    unit_price_minor: int
    setup_minor: int


class PlanVersionPublished(Event):
    """A plan has a version that terms beginning on `effective_from` or later have; the subject is the plan."""

    producer: ClassVar[str] = "invoicing"

    plan_id: UUID
    code: str
    plan_version: int
    effective_from: date
    term_months: int
    period_months: int
    prices: tuple[PriceIn, ...]

    def subject(self) -> str:
        """The plan."""
        return str(self.plan_id)


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


class BillRunEvent(Event, abstract=True):
    """An event about a bill run, which is its subject."""

    producer: ClassVar[str] = "invoicing"

    run_id: UUID
    run_date: date

    def subject(self) -> str:
        """The run."""
        return str(self.run_id)


class BillRunStarted(BillRunEvent):
    """Everything that is due by a date is being billed; `at_once` without drafts to be approved."""

    at_once: bool
    accounts: int


class BilledTotal(Value):
    """What a run billed in one currency, in minor units."""

    currency: str
    invoices: int
    total_minor: int


class BillRunFinished(BillRunEvent):
    """A run has drafts that wait for approval (`drafted`), or has issued (`done`); accounts are counted by outcome."""

    state: str
    accounts: dict[str, int]
    totals: tuple[BilledTotal, ...]


class BankStatementImported(Event):
    """A file of bank statements was imported, which is its subject; its entries are counted by outcome.

    `certain` ones are booked at once, `unmatched` ones wait for a person, `kept` ones are no receipts,
    `repeated` ones were known. How fresh the knowledge of payments is, says `closing_date`.
    """

    producer: ClassVar[str] = "invoicing"

    import_id: UUID
    format: str
    closing_date: date | None
    entries: dict[str, int]

    def subject(self) -> str:
        """The import."""
        return str(self.import_id)
