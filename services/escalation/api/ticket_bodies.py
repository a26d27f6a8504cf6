"""Bodies and answers of the routes of vendor tickets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from services.escalation.api.case_bodies import Description
from services.escalation.api.handovers import ChannelKind, NoLineReason
from services.escalation.domain.contact_details import ContactDetailDecision
from services.escalation.domain.contact_patterns import DetailKind
from services.escalation.domain.evidence_packs import render_vendor_ticket
from services.escalation.domain.handovers import HandoverRequirement, TechnicalProblemCategory
from services.escalation.domain.mails import MailState
from services.escalation.domain.vendor_tickets import TicketStatus
from services.escalation.tables import VendorTicketMailRow, VendorTicketRow
from services.escalation.use_cases.ticket_files import build_ticket_text
from services.escalation.use_cases.vendor_tickets import NewVendorTicket
from shared.events.escalation import Severity
from shared.pure.fields import Code, Name, Prose, RequestBody, get_model_example, set_model_example
from shared.pure.hidden_characters import SEEN_ON_LINE, check_one_line_text
from shared.pure.languages import Language

MAX_ENTRIES = 50
MAX_FILES = 20

Detail = Annotated[
    str, StringConstraints(min_length=1, max_length=400, pattern=SEEN_ON_LINE), AfterValidator(check_one_line_text)
]
"""An address or a number of somebody, as it stands in a text."""


class DetailDecisionIn(RequestBody):
    """Choice about an address or a number that was found, wherever it stands, and why."""

    model_config = set_model_example(content="030/901820", choice="remove", reason="the customer's own number")

    content: Detail
    choice: Literal["remove", "let_through"]
    reason: Prose

    def build_decision(self) -> ContactDetailDecision:
        """Build the decision."""
        return ContactDetailDecision(self.content, self.choice, self.reason)


class VendorTicketIn(RequestBody):
    """A request to the vendor; what is left out is taken from the case, or from the legal entity's channel.

    Severity and category are those of technical problems. Contact data are never the customer's.
    """

    model_config = set_model_example(
        title="Mail to outside is late by hours",
        description="Since 2 April 08:00 UTC messages to outside wait for two to four hours.",
        product="Microsoft 365 Business Premium",
        severity="B",
        category="bug",
        entry_ids=["01a20d66-0b3d-7e92-a6c7-58f10d4b2e39"],
        decisions=[get_model_example(DetailDecisionIn)],
    )

    title: Name
    description: Description
    product: Name | None = Field(default=None, examples=["Microsoft 365 Business Premium"])
    severity: Severity | None = None
    category: TechnicalProblemCategory | None = Field(default=None, description="of the programme's five")
    language: Language | None = None
    entry_ids: list[UUID] = Field(
        default=[], max_length=MAX_ENTRIES, description="entries of the thread for the evidence pack; none is internal"
    )
    attachment_ids: list[UUID] = Field(
        default=[], max_length=MAX_FILES, description="files of the case for the evidence pack; none is internal"
    )
    no_line_reason: NoLineReason | None = Field(
        default=None, description="why a billing question has no line of ours beside the vendor's"
    )
    resource_id: UUID | None = Field(default=None, description="a premier contract, of which it uses one request")
    legal_entity: Code | None = Field(default=None, description="of a case without an account", examples=["GS-DE"])
    decisions: list[DetailDecisionIn] = Field(default=[], max_length=1000)

    def build_ticket(self) -> NewVendorTicket:
        """Build the ticket to be prepared."""
        fields = self.model_dump(exclude={"decisions"})
        return NewVendorTicket(**fields, decisions=[decision.build_decision() for decision in self.decisions])


class TicketSubmissionIn(RequestBody):
    """The vendor's number of a request that a person has opened."""

    model_config = set_model_example(number="615101234567890")

    number: Code


class CorrectedNumberIn(TicketSubmissionIn):
    """The vendor's number of a request as it should have been recorded, and how somebody knows."""

    model_config = set_model_example(number="615101234567891", reason="mistyped: compared with the portal")

    reason: Prose


class TicketSolutionIn(RequestBody):
    """Whether the vendor solved the problem, and how we know."""

    model_config = set_model_example(solved=True, reason="the customer sends mail without delay since noon")

    solved: bool = Field(strict=True)
    reason: Prose


class TicketSightingIn(RequestBody):
    """Sight that a person had of a ticket: where it is, and what the vendor wrote since."""

    model_config = set_model_example(status="attention_needed", note="Please send the headers of one message.")

    status: Literal["open", "attention_needed", "closed"]
    note: Description | None = None


class TicketNoteIn(RequestBody):
    """A note to the vendor; contact data in it are removed or let through."""

    model_config = set_model_example(content="The headers are as follows.", decisions=[])

    content: Description
    decisions: list[DetailDecisionIn] = Field(default=[], max_length=1000)


class TicketContactOut(BaseModel):
    """Contact data of ours, as the ticket carries them."""

    model_config = set_model_example(
        company="Goodstanding GmbH", name="Service desk", email="desk@goodstanding.example", phone="+49 30 901820"
    )

    company: str
    name: str
    email: str
    phone: str


class DetailDecisionOut(BaseModel):
    """Choice that somebody made about an address or a number, which is not repeated here."""

    model_config = set_model_example(
        place="description", kind="telephone", choice="remove", reason="the customer's own number"
    )

    place: str
    kind: DetailKind | Literal["file", "written_claim"] = Field(
        description="`written_claim`: the customer's letter for a service credit, which is not searched"
    )
    choice: Literal["remove", "let_through"]
    reason: str


class VendorTicketOut(BaseModel):
    """A request to the vendor. `prepared` waits for a person who submits it; `attention_needed` waits for us."""

    model_config = set_model_example(
        id="01a20d65-5762-7a08-b1f4-93d2c07e5b01",
        case_id="01a20d65-5762-7a08-b1f4-93d2c07e5a16",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        legal_entity="GS-DE",
        channel="portal",
        number="615101234567890",
        status="open",
        status_since="2026-04-02T10:40:00Z",
        severity="B",
        category="bug",
        language="en",
        product="Microsoft 365 Business Premium",
        title="Mail to outside is late by hours",
        description="Since 2 April 08:00 UTC messages to outside wait for two to four hours.",
        contact=get_model_example(TicketContactOut),
        entry_ids=["01a20d66-0b3d-7e92-a6c7-58f10d4b2e39"],
        decisions=[get_model_example(DetailDecisionOut)],
        no_line_reason=None,
        waived=[],
        resource_id=None,
        prepared_by="support",
        prepared_at="2026-04-02T10:35:00Z",
        submitted_by="support",
        submitted_at="2026-04-02T10:40:00Z",
        answered_at=None,
        read_at="2026-04-02T10:55:00Z",
        reading_refusal=None,
        is_solved=None,
        solved_reason=None,
        solved_by=None,
        solved_at=None,
    )

    id: UUID
    case_id: UUID
    account_id: UUID | None
    legal_entity: str
    channel: ChannelKind
    number: str | None = Field(description="the vendor's; null until it is submitted")
    status: TicketStatus
    status_since: datetime
    severity: Severity | None
    category: TechnicalProblemCategory | None
    language: Language
    product: str | None
    title: str
    description: str
    contact: TicketContactOut
    entry_ids: list[UUID] = Field(description="entries of the evidence pack")
    decisions: list[DetailDecisionOut]
    no_line_reason: NoLineReason | None
    waived: list[HandoverRequirement] = Field(description="conditions of the hand-over that somebody let go")
    resource_id: UUID | None
    prepared_by: str
    prepared_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None
    answered_at: datetime | None = Field(description="when the vendor's first answer was seen")
    read_at: datetime | None = Field(description="when it was last looked at over the vendor's API")
    reading_refusal: str | None = Field(description="why the vendor does not show it to us, such as `404`")
    is_solved: bool | None = Field(description="whether it solved the problem, as a person said")
    solved_reason: str | None
    solved_by: str | None
    solved_at: datetime | None

    @classmethod
    def from_row(cls, row: VendorTicketRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(_list_fields(row))


class TicketMailOut(BaseModel):
    """A mail to the distributor, and what became of it; with an entry it is a note, else the request itself."""

    model_config = set_model_example(
        id="01a20d66-2a00-7c11-8a3c-6b1f60e2a94c",
        entry_id=None,
        recipient="support@distributor.example",
        state="delivered",
        code=None,
        queued_by="support",
        queued_at="2026-04-02T10:36:00Z",
        settled_at="2026-04-02T10:36:02Z",
    )

    id: UUID
    entry_id: UUID | None
    recipient: str
    state: MailState
    code: str | None = Field(description="of a mail that was refused or came back")
    queued_by: str
    queued_at: datetime
    settled_at: datetime | None


class VendorTicketDetailsOut(VendorTicketOut):
    """A request to the vendor with the text that is pasted into the vendor's form, or goes to the distributor."""

    model_config = set_model_example(
        **get_model_example(VendorTicketOut), text="Mail to outside is late by hours\n", mails=[]
    )

    text: str
    mails: list[TicketMailOut] = Field(description="to the distributor, the oldest first")

    @classmethod
    def from_rows(cls, row: VendorTicketRow, mails: Sequence[VendorTicketMailRow]) -> Self:
        """Build the answer for a row and its mails."""
        sent = [TicketMailOut.model_validate(mail, from_attributes=True) for mail in mails]
        return cls.model_validate(
            _list_fields(row) | {"text": render_vendor_ticket(build_ticket_text(row)), "mails": sent}
        )


def _list_fields(row: VendorTicketRow) -> dict[str, Any]:
    return row.model_dump() | {"entry_ids": [entry["id"] for entry in row.entries]}
