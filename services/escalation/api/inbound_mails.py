"""Mails that came in over REST: handed over by the relay, and sorted by people where they join no case."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from services.escalation import use_cases
from services.escalation.api.case_bodies import CaseIn, CaseOut
from services.escalation.domain.inbound_mails import InboundState, TriageReason
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.mail.file_types import check_inbound_mail_files
from services.escalation.mail.mail_parser import parse_inbound_mail
from services.escalation.repository import inbound_mail_queries
from services.escalation.tables import InboundMailRow
from services.escalation.use_cases.inbound_mails import ArrivedMail
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.fields import Prose, ReasonIn, RequestBody, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command, perform_upload
from shared.web.http import (
    PROBLEMS,
    Page,
    Paging,
    Read,
    Router,
    accept_larger_body,
    describe_problem,
    receive_whole_body,
    refusals,
)

PREFIX, TAGS = "/v1/inbound-mails", ["inbound mails"]
reads = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("escalation:write")], responses=PROBLEMS)
relays = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("escalation:mail")], responses=PROBLEMS)
case_writes = Router(prefix="/v1/cases", tags=["cases"], dependencies=[needs("escalation:write")], responses=PROBLEMS)

MAX_MAIL_BYTES = 15 * 1024 * 1024
MEDIA_TYPES = ("message/rfc822", "application/octet-stream")
MAIL_EXAMPLE = (
    "From: Ines Alpenrose <ines@alpenrose.example>\r\nTo: support@reseller.example\r\n"
    "Message-ID: <CAB3@mail.alpenrose.example>\r\nSubject: Seats\r\n\r\nWe ordered ten.\r\n"
)
MAIL: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "message/rfc822": {"schema": {"type": "string"}, "example": MAIL_EXAMPLE},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
UNSUPPORTED = describe_problem(
    415, "unsupported_media_type", "the content type is none of a mail", "send message/rfc822"
)


class ContentTypeNotMail(Refusal):
    """The content type is none of a mail."""

    code = "unsupported_media_type"
    status = 415


class InboundMailOut(BaseModel):
    """A mail that came in. What it says is of whoever wrote it; one that joined a case is an entry of its thread."""

    model_config = set_model_example(
        id="01a20d66-0b3d-7e92-a6c7-58f10d4b2e41",
        message_id="<CAB3@mail.alpenrose.example>",
        state="triage",
        reason="sender_unknown",
        case_id=None,
        entry_id=None,
        sender="ines@alpenrose.example",
        subject="Re: [case 1042] What is line 3?",
        content="We ordered ten.",
        is_cut=False,
        files=["order.pdf"],
        refused_files=["macro.xlsm"],
        unplaced_files=[],
        received_at="2026-04-02T10:12:00Z",
        settled_at=None,
        settled_by=None,
        removed_at=None,
        vendor_ticket=None,
        named_cases=["01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7"],
    )

    id: UUID
    message_id: str | None
    state: InboundState
    reason: TriageReason | None = Field(description="why it waits for a person")
    case_id: UUID | None
    entry_id: UUID | None
    sender: str | None = Field(description="null: it names not exactly one that can be written to")
    subject: str
    content: str = Field(description="as text; empty where it is that of the entry")
    is_cut: bool = Field(description="whether it had more text than is kept")
    files: list[str] = Field(description="names of the files that it brings")
    refused_files: list[str] = Field(
        description="names of those that are not kept: too large, too many, of other types, or of a machine"
    )
    unplaced_files: list[str] = Field(
        default=[], description="names of those that stay with the mail only: the case has as many as it may have"
    )
    received_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    removed_at: datetime | None = Field(description="when what it said was removed, if it was")
    vendor_ticket: UUID | None = Field(default=None, description="request to whose address it came: it is the vendor's")
    named_cases: list[UUID] = Field(default=[], description="cases to whose addresses it came, whatever their account")

    @classmethod
    def from_row(cls, row: InboundMailRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row.model_dump() | row.details)


class MailReceiptOut(BaseModel):
    """A mail that was taken in; nothing of it is quoted back."""

    model_config = set_model_example(id="01a20d66-0b3d-7e92-a6c7-58f10d4b2e41", state="joined")

    id: UUID
    state: InboundState


class MailCaseIn(CaseIn):
    """The case that a mail is about."""

    model_config = set_model_example(
        kind="billing_question", account_id="01a20d60-7458-729b-b244-54f33ab0c1d2", subject="Why twelve seats?"
    )

    kind: Literal["billing_question", "technical", "service_credit"]
    account_id: UUID


class MailJoinIn(RequestBody):
    """The case that a mail belongs to, and how somebody knows."""

    model_config = set_model_example(case_id="01a20d65-5762-7a08-b1f4-93d2c07e5a16", reason="asked them by telephone")

    case_id: UUID
    reason: Prose


class ReadEntriesIn(RequestBody):
    """The last entry that somebody has read."""

    model_config = set_model_example(last_entry_id="01a20d66-0b3d-7e92-a6c7-58f10d4b2e39")

    last_entry_id: UUID


@relays.post(
    "",
    status_code=201,
    response_model=MailReceiptOut,
    summary="Hand a mail over",
    responses={415: UNSUPPORTED, **refusals(StateMoveRefused)},
    dependencies=[accept_larger_body(MAX_MAIL_BYTES, is_streamed=True)],
    openapi_extra=MAIL,
)
async def receive_mail(
    request: Request, command: Annotated[CommandRunner, perform_upload("inbound_mail.take")]
) -> Response:
    """Take a mail in as it came (RFC 5322), with the recipient of its envelope in `Delivered-To` or `X-Original-To`.

    It is taken once for its Message-ID, whatever the Idempotency-Key; that is best the digest of the file.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in MEDIA_TYPES:
        raise ContentTypeNotMail("send message/rfc822 or application/octet-stream")
    content = await receive_whole_body(request)
    mail = await asyncio.to_thread(parse_inbound_mail, content)
    claim = await use_cases.mail_claims.check_mail_claim(command.runtime, mail)
    kept, refused = await asyncio.to_thread(check_inbound_mail_files, mail.files)
    arrival = ArrivedMail(mail, claim, kept, [*refused, *mail.omitted_files])
    await asyncio.to_thread(command.bind_content, content)
    support_address = command.runtime.settings.support_address

    async def take(unit: Unit) -> MailReceiptOut:
        row = await use_cases.inbound_mails.receive_inbound_mail(unit, arrival, support_address)
        return MailReceiptOut(id=row.id, state=InboundState(row.state))

    return await command.run(take)


@reads.get("", summary="List mails that came in")
async def list_inbound_mails(
    read: Read,
    paging: Paging,
    state: Annotated[InboundState | None, Query(description="`triage`: those that wait for a person")] = None,
    case_id: Annotated[UUID | None, Query()] = None,
) -> Page[InboundMailOut]:
    """Mails in the order in which they came."""
    after = paging.get_last_id()
    rows = await read(
        lambda unit: inbound_mail_queries.list_inbound_mail_rows(unit, state, case_id, after, paging.limit + 1)
    )
    return paging.page([InboundMailOut.from_row(row) for row in rows], key=lambda mail: mail.id)


@reads.get("/{inbound_mail_id}", summary="One mail that came in")
async def get_inbound_mail(inbound_mail_id: UUID, read: Read) -> InboundMailOut:
    """The mail, and what became of it."""
    return InboundMailOut.from_row(
        await read(lambda unit: inbound_mail_queries.get_inbound_mail_row(unit, inbound_mail_id))
    )


@writes.post(
    "/{inbound_mail_id}:open-case",
    status_code=201,
    response_model=InboundMailOut,
    summary="Open a case for a mail",
    responses=refusals(StateMoveRefused),
)
async def open_case_for_mail(
    inbound_mail_id: UUID,
    case: MailCaseIn,
    command: Annotated[CommandRunner, perform_command("inbound_mail.open_case")],
) -> Response:
    """Open a case of an account, which the mail joins."""
    new = case.build_case()

    async def open_once(unit: Unit) -> InboundMailOut:
        actor = command.caller.subject
        return InboundMailOut.from_row(
            await use_cases.inbound_mails.open_case_by_mail(unit, inbound_mail_id, new, actor)
        )

    return await command.run(open_once, subject=case.account_id)


@writes.post(
    "/{inbound_mail_id}:join",
    status_code=200,
    response_model=InboundMailOut,
    summary="Let a mail join a case",
    responses=refusals(StateMoveRefused),
)
async def join_mail_to_case(
    inbound_mail_id: UUID, joining: MailJoinIn, command: Annotated[CommandRunner, perform_command("inbound_mail.join")]
) -> Response:
    """Let a mail that waits for a person join a case; nobody has read it there yet."""

    async def join(unit: Unit) -> InboundMailOut:
        actor = command.caller.subject
        return InboundMailOut.from_row(
            await use_cases.inbound_mails.join_mail_by_hand(unit, inbound_mail_id, joining.case_id, actor)
        )

    return await command.run(join, status=200, reason=joining.reason, subject=joining.case_id)


@writes.post(
    "/{inbound_mail_id}:discard",
    status_code=200,
    response_model=InboundMailOut,
    summary="Discard a mail",
    responses=refusals(StateMoveRefused),
)
async def discard_mail(
    inbound_mail_id: UUID, basis: ReasonIn, command: Annotated[CommandRunner, perform_command("inbound_mail.discard")]
) -> Response:
    """Take a mail that concerns no case off the list of those that wait; it is kept."""

    async def discard(unit: Unit) -> InboundMailOut:
        actor = command.caller.subject
        return InboundMailOut.from_row(await use_cases.inbound_mails.discard_mail_by_hand(unit, inbound_mail_id, actor))

    return await command.run(discard, status=200, reason=basis.reason)


@case_writes.post("/{case_id}:read", status_code=200, response_model=CaseOut, summary="Say that answers were read")
async def mark_read(
    case_id: UUID, reading: ReadEntriesIn, command: Annotated[CommandRunner, perform_command("case.read")]
) -> Response:
    """Say up to which entry somebody has read what the customer wrote; a case with unread answers is not closed."""

    async def mark(unit: Unit) -> CaseOut:
        actor = command.caller.subject
        return CaseOut.from_row(
            await use_cases.inbound_mails.mark_customer_answers_read(unit, case_id, reading.last_entry_id, actor)
        )

    return await command.run(mark, status=200, subject=case_id)
