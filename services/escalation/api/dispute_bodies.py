"""Bodies and answers of the routes of disputes."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.escalation.domain.disputes import DisputeItem, DisputeState, QuestionCause
from services.escalation.tables import DisputeAmendmentRow, DisputeReasonRow, DisputeRow
from services.escalation.use_cases.amendments import NewDisputeAmendment
from services.escalation.use_cases.dispute_requests import NewDispute
from shared.pure.fields import Code, Name, Prose, ReasonIn, RequestBody, get_model_example, set_model_example
from shared.pure.languages import LANGUAGES, Language
from shared.pure.money import Currency, PositiveMinor

MAX_LINES = 500
LineNumber = Annotated[int, Field(ge=1, le=500, strict=True)]
Minor = Annotated[int, Field(ge=0, le=10**15, strict=True)]


class DisputedLineIn(RequestBody):
    """An amount of one line, in minor units of the invoice's currency, and the code of the reason."""

    model_config = set_model_example(line=1, amount_minor=5040, reason_code="quantity")

    line: LineNumber
    amount_minor: PositiveMinor
    reason_code: Code = Field(default="other", description="a code of `GET /v1/dispute-reasons`")


class DisputedLineOut(BaseModel):
    """An amount of one line in dispute, and what is approved of it, which is null while nobody has decided."""

    model_config = set_model_example(line=1, amount_minor=5040, reason_code="quantity", approved_minor=None)

    line: int
    amount_minor: int
    reason_code: str = "other"
    approved_minor: int | None = None


class ApprovedLineIn(RequestBody):
    """An amount that is approved of a disputed line; minor units of the invoice's currency."""

    model_config = set_model_example(line=1, approved_minor=2520)

    line: LineNumber
    approved_minor: Minor


def _check_lines_once(lines: Sequence[DisputedLineIn | ApprovedLineIn]) -> None:
    """Refuse a line that is named twice, whose amounts nobody could tell apart. Raises ValueError."""
    counts = Counter(line.line for line in lines)
    if repeated := [line for line, count in counts.items() if count > 1]:
        raise ValueError(f"lines: line {repeated[0]} is named twice: one amount for each, with its main reason")


def build_dispute_items(lines: Sequence[DisputedLineIn]) -> list[DisputeItem]:
    """Build the items of a dispute."""
    return [DisputeItem(line.line, line.amount_minor, line.reason_code) for line in lines]


class DisputeIn(RequestBody):
    """Named lines of one invoice that a customer disputes, with amounts and reasons."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        currency="EUR",
        lines=[get_model_example(DisputedLineIn)],
        comment="five seats were given back in February",
        new_evidence=None,
    )

    account_id: UUID
    invoice_id: UUID
    currency: Currency
    lines: list[DisputedLineIn] = Field(min_length=1, max_length=MAX_LINES)
    comment: Prose | None = Field(default=None, description="stays in the database; never on a topic")
    new_evidence: Prose | None = Field(
        default=None, description="what is new since a dispute on one of these lines was rejected"
    )

    @model_validator(mode="after")
    def _lines_once(self) -> Self:
        _check_lines_once(self.lines)
        return self

    def build_dispute(self) -> NewDispute:
        """Build what is disputed."""
        items = build_dispute_items(self.lines)
        return NewDispute(self.account_id, self.invoice_id, self.currency, items, self.comment, self.new_evidence)


class DisputeOut(BaseModel):
    """A dispute. `requested`: committed, and reserved in invoicing as soon as that answers.

    `question`: it reserves nothing, since a line was rejected before or the policy's days are over; a person with the
    right may admit it.
    `waiting_for_second_person`: somebody would uphold it, above the limit of their roles.
    """

    model_config = set_model_example(
        id="01a20d65-5762-7361-96ef-cdb432a61f08",
        case_id="01a20d65-5762-7a09-b1f4-93d2c07e5a16",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        currency="EUR",
        lines=[get_model_example(DisputedLineOut)],
        total_minor=5040,
        comment="five seats were given back in February",
        state="opened",
        refusal=None,
        requested_at="2026-04-02T09:30:00Z",
        opened_at="2026-04-02T09:30:01Z",
        ended_at=None,
        credit_note_id=None,
        credit_note_number=None,
        uphold_proposed_by=None,
        uphold_proposed_at=None,
        ended_reason=None,
        review_began_at=None,
        paused_until=None,
        question_cause=None,
    )

    id: UUID
    case_id: UUID
    account_id: UUID
    invoice_id: UUID
    currency: str
    lines: list[DisputedLineOut]
    total_minor: int
    comment: str | None = Field(description="the customer's words")
    state: DisputeState
    refusal: str | None
    requested_at: datetime
    opened_at: datetime | None
    ended_at: datetime | None
    credit_note_id: UUID | None
    credit_note_number: str | None
    uphold_proposed_by: str | None = Field(description="who would uphold it, and needs a second person or needed one")
    uphold_proposed_at: datetime | None
    ended_reason: str | None = Field(description="why it was upheld, rejected or withdrawn")
    review_began_at: datetime | None
    paused_until: datetime | None = Field(
        description="of reasons that credit nothing: by when the document is right; then the amounts are released"
    )
    question_cause: QuestionCause | None = Field(description="why it reserved nothing at first")

    @classmethod
    def from_row(cls, row: DisputeRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class DisputeUpholdingIn(ReasonIn):
    """Why a dispute is upheld, and what of it."""

    model_config = set_model_example(
        reason="two of the five seats were given back", lines=[get_model_example(ApprovedLineIn)]
    )

    lines: list[ApprovedLineIn] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_LINES,
        description="what is approved by line, nothing of a line that is not named; null: all that is disputed",
    )

    @model_validator(mode="after")
    def _lines_once(self) -> Self:
        _check_lines_once(self.lines or ())
        return self

    def map_approved(self) -> dict[int, int] | None:
        """Map the numbers of lines to what is approved of them; None for all that is disputed."""
        return None if self.lines is None else {line.line: line.approved_minor for line in self.lines}


class DisputeAmendmentIn(RequestBody):
    """All that is disputed from now on."""

    model_config = set_model_example(
        lines=[{"line": 1, "amount_minor": 7560, "reason_code": "quantity"}],
        reason="eight seats, not five",
        new_evidence=None,
    )

    lines: list[DisputedLineIn] = Field(min_length=1, max_length=MAX_LINES)
    reason: Prose
    new_evidence: Prose | None = Field(
        default=None, description="what is new since one of the lines of which more is disputed was rejected"
    )

    @model_validator(mode="after")
    def _lines_once(self) -> Self:
        _check_lines_once(self.lines)
        return self

    def build_amendment(self) -> NewDisputeAmendment:
        """Build what is disputed from now on."""
        return NewDisputeAmendment(build_dispute_items(self.lines), self.reason, self.new_evidence)


class DisputeAmendmentOut(BaseModel):
    """An amendment of a dispute: requested, done once invoicing has reserved the amounts, or refused by it."""

    model_config = set_model_example(
        dispute_id="01a20d65-5762-7361-96ef-cdb432a61f08",
        number=1,
        lines=[{"line": 1, "amount_minor": 7560, "reason_code": "quantity", "approved_minor": None}],
        total_minor=7560,
        reason="eight seats, not five",
        state="done",
        refusal=None,
        requested_by="support",
        requested_at="2026-04-03T08:15:00Z",
        ended_at="2026-04-03T08:15:01Z",
    )

    dispute_id: UUID
    number: int
    lines: list[DisputedLineOut]
    total_minor: int
    reason: str
    state: Literal["requested", "done", "refused"]
    refusal: str | None
    requested_by: str
    requested_at: datetime
    ended_at: datetime | None

    @classmethod
    def from_row(cls, row: DisputeAmendmentRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row, from_attributes=True)


_EXAMPLE_TITLES = {"en": "Wrong quantity", "de": "Falsche Menge", "fr": "Quantité erronée", "ru": "Неверное количество"}


class DisputeReasonIn(RequestBody):
    """A reason of disputes, by its titles in the languages of customers."""

    model_config = set_model_example(
        titles=_EXAMPLE_TITLES,
        pause_days=None,
        is_active=True,
    )

    titles: dict[Language, Name]
    pause_days: int | None = Field(
        default=None,
        ge=1,
        le=366,
        strict=True,
        description="the invoice pauses so many days, until its document is right, and nothing is credited",
    )
    is_active: bool = Field(default=True, description="whether new disputes may have it")

    @model_validator(mode="after")
    def _titles_of_all(self) -> Self:
        if missing := sorted(set(LANGUAGES) - self.titles.keys()):
            raise ValueError(f"titles: {', '.join(missing)} is missing")
        return self


class DisputeReasonOut(BaseModel):
    """A reason of disputes."""

    model_config = set_model_example(
        code="quantity",
        titles=_EXAMPLE_TITLES,
        pause_days=None,
        is_active=True,
    )

    code: str
    titles: dict[str, str]
    pause_days: int | None
    is_active: bool

    @classmethod
    def from_row(cls, row: DisputeReasonRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row, from_attributes=True)
