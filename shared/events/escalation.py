"""Events of escalation: who has a problem, whose turn it is, and that the customer was informed."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.base import Event
from shared.events.values import EventValue

CaseKind = Literal["billing_question", "dispute", "technical", "fraud", "service_credit", "vendor_refusal", "task"]
Severity = Literal["A", "B", "C"]
DisputeOutcome = Literal["upheld", "partly_upheld", "rejected"]
VendorDisputeOutcome = Literal["accepted", "partly_accepted", "rejected", "withdrawn"]
CaseOutcome = Literal[
    "dispute_upheld",
    "dispute_partly_upheld",
    "dispute_rejected",
    "dispute_withdrawn",
    "dispute_refused",
    "resolved_by_person",
]
"""How a case ended; `resolved_by_person` where a person said so, whose words stand in the case."""


TicketStatus = Literal["open", "attention_needed", "closed"]
"""Where a ticket is at the vendor; `attention_needed` waits for us."""
ClockOwner = Literal["ours", "vendor"]
"""Who owes the answer: we to the customer, or the vendor to us."""
ClockName = Literal["first", "update", "resolution"]


class CaseEvent(Event, abstract=True):
    """An event about a case; the subject is the account, or the case where no account is concerned."""

    producer: ClassVar[str] = "escalation"
    case_id: UUID
    account_id: UUID | None

    def subject(self) -> str:
        """The account, else the case."""
        return str(self.account_id or self.case_id)


class CaseOpened(CaseEvent):
    """A case was opened, by a person or by an event that needs one; a task concerns no customer."""

    kind: CaseKind
    severity: Severity | None


class CaseResolved(CaseEvent):
    """The outcome is known; the customer must be told before the case can be closed."""

    outcome: CaseOutcome


class CaseReopened(CaseEvent):
    """A resolved or closed case goes on: the customer is not content, or the outcome was none."""


class CaseMerged(CaseEvent):
    """A case goes on in another one of the same account, and is found under both numbers."""

    into_case_id: UUID


class ResponseDeadlineEvent(CaseEvent, abstract=True):
    """An event about a clock of a case; each run of a clock has each of these events once at most."""

    whose: ClockOwner
    which: ClockName
    run: int
    due_at: datetime


class ResponseDeadlineNear(ResponseDeadlineEvent):
    """An answer is due soon."""


class ResponseDeadlineMissed(ResponseDeadlineEvent):
    """An answer was not given in time: ours to the customer, or the vendor's to us."""


class CustomerContacted(CaseEvent):
    """A contact with the customer is on record."""

    contact_id: UUID
    channel: str
    about_outcome: bool


class CaseClosed(CaseEvent):
    """The loop is closed: the customer was told, or a person said why no customer is affected; or a task is done."""

    customer_informed: bool


class CaseClosingUndone(CaseEvent):
    """A closed case is resolved again, since the message that told the customer the outcome came back."""


class MailBounced(Event):
    """A mail of ours came back: its delivery status names a permanent failure. Whom it was for is not said.

    A mail of a case is named by its id; any other by the digest of the secret that it carried, which is the `bounce_id`
    of the service that sent it. Who does not know that secret cannot make one.
    """

    producer: ClassVar[str] = "escalation"
    message_id: UUID
    permanent: bool
    code: str

    def subject(self) -> str:
        """Return the id of the mail."""
        return str(self.message_id)


class DisputedLine(EventValue):
    """An amount in dispute on one line, the code of its reason, and what is approved of it; minor units."""

    line: int
    amount_minor: int
    reason_code: str | None = None
    approved_minor: int | None = None


class DisputeEvent(CaseEvent, abstract=True):
    """An event about a dispute on one invoice."""

    dispute_id: UUID
    invoice_id: UUID
    currency: str
    lines: tuple[DisputedLine, ...]


class DisputeOpened(DisputeEvent):
    """The amounts are reserved in invoicing: while it is open they are not dunnable."""


class DisputeAmended(DisputeEvent):
    """Other amounts are reserved in invoicing than before; `lines` are all that are disputed now."""

    amendment_number: int


class DisputeResolved(DisputeEvent):
    """Upheld gives a credit note of what is approved of each line, the rest is released; rejected releases all."""

    outcome: DisputeOutcome

    def map_approved(self) -> dict[int, int]:
        """Map the numbers of lines to what is credited of them; minor units. Without approved amounts all is."""
        if self.outcome == "rejected":
            return {}
        approved = {line.line: line.approved_minor for line in self.lines if line.approved_minor is not None}
        if approved or self.outcome == "partly_upheld":
            return approved
        return {line.line: line.amount_minor for line in self.lines}


class DisputeWithdrawn(DisputeEvent):
    """The customer no longer disputes; the amounts are released."""


class VendorTicketEvent(CaseEvent, abstract=True):
    """An event about a ticket at the vendor: its number there, where it is and how bad the problem is; no words."""

    ticket_id: UUID
    number: str
    status: TicketStatus
    severity: Severity | None


class VendorTicketOpened(VendorTicketEvent):
    """A person submitted a ticket to the vendor, and recorded its number."""


class VendorTicketUpdated(VendorTicketEvent):
    """The vendor moved a ticket, or sees another severity in it."""


class ServiceCreditEvent(CaseEvent, abstract=True):
    """An event about what the vendor is asked to give back; `last_day` is the last one on which it takes requests."""

    service_credit_id: UUID
    type_code: str
    last_day: date


class ServiceCreditDeadlineNear(ServiceCreditEvent):
    """The vendor will soon take no request for this credit any more; once at most."""


class ServiceCreditLapsed(ServiceCreditEvent):
    """The vendor takes no request for this credit any more, and none was made."""


class SupportContractEvent(Event, abstract=True):
    """An event about a premier contract with the vendor; the subject is the support resource."""

    producer: ClassVar[str] = "escalation"
    resource_id: UUID
    valid_to: date | None
    requests_left: int | None

    def subject(self) -> str:
        """Return the id of the support resource."""
        return str(self.resource_id)


class SupportContractEnding(SupportContractEvent):
    """A contract ends soon, after `valid_to`; once for each end that it was given."""


class SupportContractRequestsLow(SupportContractEvent):
    """A ticket used up one of the last requests of a contract; `requests_left` is what is left."""


class ChargebackDeadlineNear(CaseEvent):
    """The card network will soon take no answer for this chargeback any more; once at most."""

    chargeback_id: UUID
    answer_by: date


class VendorDisputeEvent(Event, abstract=True):
    """An event about what we contest of a vendor invoice; the subject is the vendor invoice. Amounts with tax."""

    producer: ClassVar[str] = "escalation"
    vendor_dispute_id: UUID
    vendor_invoice_id: UUID
    currency: str
    contested_minor: int

    def subject(self) -> str:
        """The vendor invoice."""
        return str(self.vendor_invoice_id)


class VendorDisputeOpened(VendorDisputeEvent):
    """We contest a part of a vendor invoice, which stays payable in full."""


class VendorDisputeDeadlineNear(VendorDisputeEvent):
    """The day is near until which the vendor is to answer; once for each deadline that was set."""

    deadline: date


class VendorDisputeResolved(VendorDisputeEvent):
    """The vendor has answered, or we contest it no more; `accepted_minor` is what the vendor admits."""

    outcome: VendorDisputeOutcome
    accepted_minor: int
