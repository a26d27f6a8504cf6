"""Cases and customer contacts over REST."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field, model_validator

from services.escalation import use_cases
from services.escalation.domain import CaseState, CustomerConcerned, CustomerNotTold, MoveRefused
from services.escalation.repository import cases as repository
from services.escalation.tables import CaseRow, ContactRow
from services.escalation.use_cases.cases import NewCase
from shared.audit import Change
from shared.auth import needs
from shared.commands import CommandRunner, perform_command
from shared.database import Unit
from shared.events.escalation import Severity
from shared.fields import Body, Name, Prose, Words, example
from shared.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/cases", tags=["cases"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/cases", tags=["cases"], dependencies=[needs("escalation:write")], responses=PROBLEMS)


class CaseIn(Body):
    """A problem that somebody has, or a task that concerns no customer; a dispute opens its case by itself.

    Severity is that of technical cases.
    """

    model_config = example(
        kind="billing_question",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        subject="What is line 3 of the March invoice?",
    )

    kind: Literal["billing_question", "technical", "fraud", "task"]
    severity: Severity | None = None
    account_id: UUID | None = None
    subject: Name

    @model_validator(mode="after")
    def _severity_of_technical(self) -> Self:
        if (self.kind == "technical") != (self.severity is not None):
            raise ValueError("severity is given for technical cases, and only for them")
        return self


class CaseOut(BaseModel):
    """A case."""

    model_config = example(
        id="01a20d65-5762-7a08-b1f4-93d2c07e5a16",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        kind="billing_question",
        severity=None,
        state="resolved",
        subject="What is line 3 of the March invoice?",
        opened_at="2026-04-02T09:30:00Z",
        outcome="line 3 is the set-up charge",
        outcome_at="2026-04-02T14:05:00Z",
        closed_at=None,
        closed_by=None,
        no_customer_affected=None,
    )

    id: UUID
    account_id: UUID | None
    kind: str
    severity: str | None
    state: CaseState
    subject: str
    opened_at: datetime
    outcome: str | None
    outcome_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    no_customer_affected: str | None

    @classmethod
    def of(cls, row: CaseRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class ContactIn(Body):
    """Somebody spoke with the customer."""

    model_config = example(channel="phone", about_outcome=True, comment="explained line 3; the customer is content")

    channel: Literal["email", "phone", "portal", "letter"]
    about_outcome: bool = Field(description="whether the customer was told the outcome")
    comment: Prose


class ContactOut(BaseModel):
    """A contact on record."""

    model_config = example(
        id="01a20d66-0b3d-7e92-a6c7-58f10d4b2e39",
        case_id="01a20d65-5762-7a08-b1f4-93d2c07e5a16",
        channel="phone",
        about_outcome=True,
        comment="explained line 3; the customer is content",
        actor="support",
        contacted_at="2026-04-02T14:20:00Z",
    )

    id: UUID
    case_id: UUID
    channel: str
    about_outcome: bool
    comment: str
    actor: str
    contacted_at: datetime

    @classmethod
    def of(cls, row: ContactRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class ResolveIn(Body):
    """The outcome of a case, and why."""

    model_config = example(outcome="line 3 is the set-up charge", reason="checked against the order")

    outcome: Name
    reason: Prose


class CloseIn(Body):
    """Why the case can be closed; where it touches no customer, a person says so."""

    model_config = example(reason="the customer knows the outcome")

    reason: Prose
    no_customer_affected: Words | None = Field(default=None, examples=["found by monitoring, no user was cut off"])


@writes.post("", status_code=201, response_model=CaseOut, summary="Open a case")
async def open_case(case: CaseIn, command: Annotated[CommandRunner, perform_command("case.open")]) -> Response:
    """Open a case; announces `CaseOpened`."""

    async def open_(unit: Unit) -> CaseOut:
        new = NewCase(case.kind, case.severity, case.account_id, case.subject)
        row = await use_cases.cases.open_case(unit, new, command.caller.subject)
        unit.record(Change("case", row.id, row.account_id))
        return CaseOut.of(row)

    return await command.run(open_, about=case.account_id)


@reads.get("", summary="List cases")
async def list_cases(
    read: Read,
    paging: Paging,
    account_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[CaseState | None, Query()] = None,
) -> Page[CaseOut]:
    """Cases in the order of their ids."""
    after = paging.after_id()
    rows = await read(lambda unit: repository.cases_after(unit, account_id, state, after, paging.limit + 1))
    return paging.page([CaseOut.of(row) for row in rows], key=lambda row: row.id)


@reads.get("/{case_id}", summary="One case")
async def get_case(case_id: UUID, read: Read) -> CaseOut:
    """The case as it is now."""
    return CaseOut.of(await read(lambda unit: repository.case(unit, case_id)))


@reads.get("/{case_id}/contacts", summary="The contacts of a case")
async def list_contacts(case_id: UUID, read: Read) -> Page[ContactOut]:
    """Every contact on record, oldest first."""

    async def load(unit: Unit) -> list[ContactOut]:
        await repository.case(unit, case_id)
        return [ContactOut.of(row) for row in await repository.contacts_of(unit, case_id)]

    return Page(items=await read(load), next=None)


@writes.post("/{case_id}/contacts", status_code=201, response_model=ContactOut, summary="Record a contact")
async def record_contact(
    case_id: UUID, contact: ContactIn, command: Annotated[CommandRunner, perform_command("contact.record")]
) -> Response:
    """Put a contact with the customer on record; announces `CustomerContacted`, without the comment."""

    async def record(unit: Unit) -> ContactOut:
        row = await use_cases.cases.record_contact(
            unit, case_id, contact.channel, contact.about_outcome, contact.comment, command.caller.subject
        )
        return ContactOut.of(row)

    return await command.run(record, about=case_id)


@writes.post(
    "/{case_id}:resolve",
    status_code=200,
    response_model=CaseOut,
    summary="Resolve a case",
    responses=refusals(MoveRefused),
)
async def resolve_case(
    case_id: UUID, resolved: ResolveIn, command: Annotated[CommandRunner, perform_command("case.resolve")]
) -> Response:
    """The outcome is known; now the customer must be told."""

    async def resolve(unit: Unit) -> CaseOut:
        return CaseOut.of(await use_cases.cases.resolve_by_hand(unit, case_id, resolved.outcome))

    return await command.run(resolve, status=200, reason=resolved.reason, about=case_id)


@writes.post(
    "/{case_id}:close",
    status_code=200,
    response_model=CaseOut,
    summary="Close a case",
    responses=refusals(CustomerNotTold, CustomerConcerned, MoveRefused),
)
async def close_case(
    case_id: UUID, closing: CloseIn, command: Annotated[CommandRunner, perform_command("case.close")]
) -> Response:
    """Close the loop: 409 `customer_not_told` until a contact about the outcome was recorded after it was known.

    That no customer is affected can be said, in words, of what was not opened for one.
    """

    async def close(unit: Unit) -> CaseOut:
        row = await use_cases.cases.close(unit, case_id, command.caller.subject, closing.no_customer_affected)
        return CaseOut.of(row)

    return await command.run(close, status=200, reason=closing.reason, about=case_id)
