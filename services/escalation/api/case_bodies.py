"""Bodies and answers of the routes of cases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from services.escalation.api.chargeback_bodies import ChargebackOut
from services.escalation.domain.cases import WAITING_SIDES, CaseState
from services.escalation.tables import CaseLinkRow, CaseRow
from services.escalation.use_cases.cases import CaseLink, NewCase
from shared.events.escalation import CaseKind, Severity
from shared.pure.actor_names import MAX_SUBJECT_CHARS, fold_actor_name
from shared.pure.fields import Code, Name, Prose, RequestBody, Words, get_model_example, set_model_example
from shared.pure.hidden_characters import (
    SEEN_ON_LINE,
    SEEN_ON_LINES,
    check_multiline_text,
    check_one_line_text,
    normalise_line_breaks,
)
from shared.web.http import Fields
from shared.web.merge_patches import create_patch_model

WaitingSide = Literal["us", "customer", "vendor"]
LinkKind = Literal["account", "invoice", "subscription", "suspension", "vendor_difference", "case", "chargeback"]
Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000, pattern=SEEN_ON_LINES),
    AfterValidator(normalise_line_breaks),
    AfterValidator(check_multiline_text),
]
"""A longer text of people, all of which can be seen."""


def _fold_assignee(name: str) -> str:
    folded = fold_actor_name(name)
    if len(folded) > MAX_SUBJECT_CHARS:
        raise ValueError(f"has more than {MAX_SUBJECT_CHARS} characters once it is normalised")
    return folded


Assignee = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_SUBJECT_CHARS, pattern=SEEN_ON_LINE),
    AfterValidator(check_one_line_text),
    AfterValidator(_fold_assignee),
]
"""The subject of a person's token, normalised as the token's is."""


class CaseLinkIn(RequestBody):
    """A thing that a case is about; `line` names one of an invoice."""

    model_config = set_model_example(kind="invoice", target_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7", line=3)

    kind: LinkKind
    target_id: UUID
    line: int | None = Field(default=None, ge=1, le=100_000, strict=True)

    @model_validator(mode="after")
    def _line_of_invoice(self) -> Self:
        if self.line is not None and self.kind != "invoice":
            raise ValueError("only an invoice has lines")
        return self

    def build_link(self) -> CaseLink:
        """Build the link."""
        return CaseLink(self.kind, self.target_id, self.line or 0)


class CaseLinksIn(RequestBody):
    """Things that a case is about."""

    model_config = set_model_example(links=[get_model_example(CaseLinkIn)])

    links: list[CaseLinkIn] = Field(min_length=1, max_length=100)


class CaseLinkOut(BaseModel):
    """A thing that a case is about; who linked it is null where it was linked by itself."""

    model_config = set_model_example(
        kind="invoice",
        target_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        line=3,
        added_by="support",
        added_at="2026-04-02T09:30:00Z",
    )

    kind: LinkKind
    target_id: UUID
    line: int | None
    added_by: str | None
    added_at: datetime

    @classmethod
    def from_row(cls, row: CaseLinkRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row.model_dump() | {"line": row.line or None})


class CaseChange(RequestBody):
    """Fields of a case that may change."""

    subject: Name
    description: Description | None = None
    product: Name | None = Field(default=None, examples=["Microsoft 365 Business Premium"])
    severity: Severity | None = Field(default=None, description="of technical cases, which have one")
    queue: Code = Field(examples=["billing"])
    assignee: Assignee | None = Field(default=None, examples=["support-lead"])
    contact_person_id: UUID | None = Field(default=None, description="who at the customer is spoken to")


class CasePatch(create_patch_model(CaseChange)):  # type: ignore[misc]
    """A merge patch: what is left out stays as it is; null empties what may be empty."""

    model_config = set_model_example(queue="billing", assignee="support-lead", product=None)


class CaseIn(RequestBody):
    """A problem that somebody has, or a task that concerns no customer; a dispute opens its case by itself.

    Severity is that of technical cases.
    """

    model_config = set_model_example(
        kind="billing_question",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        subject="What is line 3 of the March invoice?",
        description="The customer expected ten seats, and line 3 has twelve.",
        links=[get_model_example(CaseLinkIn)],
    )

    kind: Literal["billing_question", "technical", "fraud", "service_credit", "vendor_refusal", "task"]
    severity: Severity | None = None
    account_id: UUID | None = None
    subject: Name
    description: Description | None = None
    product: Name | None = Field(default=None, examples=["Microsoft 365 Business Premium"])
    queue: Code | None = Field(default=None, description="without one it is that of the kind", examples=["billing"])
    assignee: Assignee | None = Field(default=None, examples=["support-lead"])
    contact_person_id: UUID | None = None
    links: list[CaseLinkIn] = Field(default=[], max_length=100)

    @model_validator(mode="after")
    def _severity_of_technical(self) -> Self:
        if (self.kind == "technical") != (self.severity is not None):
            raise ValueError("severity is given for technical cases, and only for them")
        return self

    def build_case(self) -> NewCase:
        """Build the case to be opened."""
        fields = self.model_dump(exclude={"links"})
        links = [link.build_link() for link in self.links]
        return NewCase(**fields, links=links, is_subject_internal=False)


class CaseOut(BaseModel):
    """A case; its version is the ETag for a change. `waiting_for` is the side that acts next, if one is to."""

    model_config = set_model_example(
        id="01a20d65-5762-7a08-b1f4-93d2c07e5a16",
        number=1042,
        version=3,
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        kind="billing_question",
        severity=None,
        state="resolved",
        state_since="2026-04-02T14:05:00Z",
        waiting_for="us",
        subject="What is line 3 of the March invoice?",
        description="The customer expected ten seats, and line 3 has twelve.",
        product=None,
        queue="billing",
        assignee="support",
        contact_person_id=None,
        cause=None,
        opened_at="2026-04-02T09:30:00Z",
        opened_by="support",
        outcome="line 3 is the set-up charge",
        outcome_at="2026-04-02T14:05:00Z",
        closed_at=None,
        closed_by=None,
        no_customer_affected=None,
        merged_into=None,
        next_deadline_at=None,
        unread_answers=0,
        inform_by=None,
        words_removed_at=None,
    )

    id: UUID
    number: int
    version: int
    account_id: UUID | None
    kind: CaseKind
    severity: Severity | None
    state: CaseState
    state_since: datetime
    waiting_for: WaitingSide | None
    subject: str
    description: str | None
    product: str | None
    queue: str
    assignee: str | None
    contact_person_id: UUID | None
    cause: str | None = Field(description="what opened it by itself; one unresolved case for each cause")
    opened_at: datetime
    opened_by: str | None = Field(description="null: opened by itself")
    outcome: str | None
    outcome_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    no_customer_affected: str | None
    merged_into: UUID | None = Field(description="the case that goes on with it")
    next_deadline_at: datetime | None = Field(description="when the customer is owed the next answer")
    unread_answers: int = Field(description="mails of the customer that nobody has read")
    inform_by: datetime | None = Field(
        description="by when the customer is to be told the outcome; null once they were"
    )
    words_removed_at: datetime | None = Field(description="when what people wrote in it was removed, if it was")

    @classmethod
    def from_row(cls, row: CaseRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(build_case_fields(row.model_dump()))


def build_case_fields(columns: Mapping[str, Any]) -> Fields:
    """Build the fields of a case's answer from the columns of its row that are shown."""
    fields = dict(columns.items())
    fields["waiting_for"] = WAITING_SIDES.get(columns["state"])
    return fields


class CaseDetailsOut(CaseOut):
    """A case with what it is about, and the cases that were merged into it."""

    model_config = set_model_example(
        **get_model_example(CaseOut), links=[get_model_example(CaseLinkOut)], merged_cases=[], chargeback=None
    )

    links: list[CaseLinkOut]
    merged_cases: list[UUID]
    chargeback: ChargebackOut | None = Field(description="that it answers, with the network's last day")


class FoundCasesOut(BaseModel):
    """Cases that have the words, the best first; `is_complete` is false where only the newest 1000 were ranked."""

    model_config = set_model_example(items=[get_model_example(CaseOut)], is_complete=True)

    items: list[CaseOut]
    is_complete: bool


class CaseWaitIn(RequestBody):
    """Whom a case waits for, and for what."""

    model_config = set_model_example(waiting_for="customer", reason="asked for the order confirmation")

    waiting_for: Literal["customer", "vendor"]
    reason: Prose


class CaseResolutionIn(RequestBody):
    """The outcome of a case, and why."""

    model_config = set_model_example(outcome="line 3 is the set-up charge", reason="checked against the order")

    outcome: Name
    reason: Prose


class CaseClosingIn(RequestBody):
    """Why the case can be closed; where it touches no customer, a person says so."""

    model_config = set_model_example(reason="the customer knows the outcome")

    reason: Prose
    no_customer_affected: Words | None = Field(default=None, examples=["found by monitoring, no user was cut off"])


class CaseMergeIn(RequestBody):
    """The case that goes on, and why."""

    model_config = set_model_example(
        into_case_id="01a20d65-5762-7a08-b1f4-93d2c07e5a11", reason="the same question, asked twice"
    )

    into_case_id: UUID
    reason: Prose
