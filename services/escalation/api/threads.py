"""Threads of cases over REST: entries, notes, and contacts with the customer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.escalation import use_cases
from services.escalation.api.case_bodies import Description
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import case_mail_queries, case_queries, thread_queries
from services.escalation.tables import CaseMailRow, EntryRow
from shared.persistence.database import Unit
from shared.pure.fields import Prose, RequestBody, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Fields, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/cases", tags=["cases"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/cases", tags=["cases"], dependencies=[needs("escalation:write")], responses=PROBLEMS)

Audience = Literal["customer", "internal", "vendor"]
EntryKind = Literal[
    "note",
    "call",
    "message",
    "vendor_note",
    "state",
    "change",
    "resource",
    "mail_out",
    "mail_in",
    "attachment",
    "health_check",
    "attempt",
    "override",
]
Channel = Literal["email", "phone", "portal", "letter"]


class MailDeliveryOut(BaseModel):
    """Delivery of a message as mail; whether somebody has read it, nobody can say."""

    model_config = set_model_example(
        state="delivered", code=None, about_outcome=False, settled_at="2026-04-02T10:12:01Z"
    )

    state: Literal["queued", "delivered", "refused", "bounced"] = Field(
        description="`delivered`: the next mail hop took it, and nothing came back"
    )
    code: str | None = Field(description="of SMTP, or of the delivery status that came back", examples=["550", "5.1.1"])
    about_outcome: bool
    settled_at: datetime | None

    @classmethod
    def from_row(cls, row: CaseMailRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class EntryOut(BaseModel):
    """An entry of a thread: what was said or done, by whom, for whom; without an actor it was written by itself."""

    model_config = set_model_example(
        id="01a20d66-0b3d-7e92-a6c7-58f10d4b2e39",
        case_id="01a20d65-5762-7a08-b1f4-93d2c07e5a16",
        kind="state",
        audience="internal",
        actor="support",
        content="asked for the order confirmation",
        details={"from": "in_progress", "to": "waiting_for_customer"},
        channel=None,
        about_outcome=None,
        entered_at="2026-04-02T10:12:00Z",
        removed_at=None,
        mail=None,
    )

    id: UUID
    case_id: UUID = Field(description="the case in which it was written, also if that was merged into this one")
    kind: EntryKind
    audience: Audience
    actor: str | None
    content: str
    details: dict[str, Any] = Field(description="what changed, from what to what")
    channel: Channel | None = Field(description="of a contact with the customer")
    about_outcome: bool | None
    entered_at: datetime
    removed_at: datetime | None = Field(default=None, description="when its words were removed, if they were")
    mail: MailDeliveryOut | None = Field(default=None, description="of a message that is sent as mail")

    @classmethod
    def from_row(cls, row: EntryRow, mail: CaseMailRow | None = None) -> Self:
        """Build the answer for a row."""
        delivery = None if mail is None else MailDeliveryOut.from_row(mail)
        return cls.model_validate(row.model_dump() | {"mail": delivery})


def build_entry_fields(row: Mapping[str, Any]) -> Fields:
    """Build the fields of an entry's answer from its columns and those of its mail."""
    fields = {name: row[name] for name in thread_queries.SHOWN_COLUMNS}
    fields["mail"] = None
    if row["mail_state"] is not None:
        fields["mail"] = {
            "state": row["mail_state"],
            "code": row["mail_code"],
            "about_outcome": row["mail_about_outcome"],
            "settled_at": row["settled_at"],
        }
    return fields


class NoteIn(RequestBody):
    """A note for colleagues, which no customer and no vendor sees."""

    model_config = set_model_example(content="compared with the order: twelve seats since 14 February")

    content: Description


class ContactIn(RequestBody):
    """Somebody spoke with the customer."""

    model_config = set_model_example(
        channel="phone", about_outcome=True, comment="explained line 3; the customer is content"
    )

    channel: Channel
    about_outcome: bool = Field(description="whether the customer was told the outcome")
    comment: Prose


class CustomerContactOut(BaseModel):
    """A contact on record."""

    model_config = set_model_example(
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
    channel: Channel
    about_outcome: bool
    comment: str
    actor: str
    contacted_at: datetime

    @classmethod
    def from_row(cls, row: EntryRow) -> Self:
        """Build the answer for an entry."""
        return cls.model_validate(row.model_dump() | {"comment": row.content, "contacted_at": row.entered_at})

    @classmethod
    def from_mail(cls, mail: CaseMailRow, row: EntryRow) -> Self:
        """Build the answer for a message that was delivered as mail."""
        contact = {"channel": "email", "about_outcome": mail.about_outcome, "contacted_at": mail.settled_at}
        return cls.model_validate(row.model_dump() | {"comment": row.content} | contact)


@reads.get("/{case_id}/entries", response_model=Page[EntryOut], summary="The thread of a case")
async def list_case_entries(
    case_id: UUID,
    read: Read,
    paging: Paging,
    audience: Annotated[Audience | None, Query()] = None,
    kind: Annotated[EntryKind | None, Query()] = None,
) -> Response:
    """Everything that was said, done and changed, the oldest first; with the entries of the cases merged into it."""
    after = paging.get_last_id()

    async def load(unit: Unit) -> list[Fields]:
        rows = await thread_queries.list_thread_entries(unit, case_id, audience, kind, after, paging.limit + 1)
        if not rows:
            await case_queries.get_case(unit, case_id)
        return [build_entry_fields(row) for row in rows]

    return paging.answer(await read(load), key=lambda entry: entry["id"])


@writes.post(
    "/{case_id}/notes",
    status_code=201,
    response_model=EntryOut,
    summary="Write a note",
    responses=refusals(StateMoveRefused),
)
async def add_note(
    case_id: UUID, note: NoteIn, command: Annotated[CommandRunner, perform_command("case.note")]
) -> Response:
    """Write an internal entry into the thread."""

    async def add(unit: Unit) -> EntryOut:
        actor = command.caller.subject
        return EntryOut.from_row(await use_cases.case_changes.add_case_note(unit, case_id, note.content, actor))

    return await command.run(add, subject=case_id)


@reads.get("/{case_id}/contacts", summary="The contacts of a case")
async def list_contacts(case_id: UUID, read: Read) -> Page[CustomerContactOut]:
    """Every contact on record, oldest first."""

    async def load(unit: Unit) -> list[CustomerContactOut]:
        await case_queries.get_case(unit, case_id)
        contacts = [
            CustomerContactOut.from_row(row) for row in await thread_queries.list_customer_contacts(unit, case_id)
        ]
        sent = [
            CustomerContactOut.from_mail(mail, row)
            for mail, row in await case_mail_queries.list_delivered_case_mails(unit, case_id)
        ]
        return sorted(contacts + sent, key=lambda contact: (contact.contacted_at, contact.id))

    return Page(items=await read(load), next=None)


@writes.post(
    "/{case_id}/contacts",
    status_code=201,
    response_model=CustomerContactOut,
    summary="Record a contact",
    responses=refusals(StateMoveRefused),
)
async def record_contact(
    case_id: UUID, contact: ContactIn, command: Annotated[CommandRunner, perform_command("contact.record")]
) -> Response:
    """Put a contact with the customer on record; announces `CustomerContacted`, without the comment."""

    async def record(unit: Unit) -> CustomerContactOut:
        row = await use_cases.contacts.record_customer_contact(
            unit, case_id, contact.channel, contact.about_outcome, contact.comment, command.caller.subject
        )
        return CustomerContactOut.from_row(row)

    return await command.run(record, subject=case_id)
