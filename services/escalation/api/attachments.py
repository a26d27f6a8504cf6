"""Files of cases over REST: received to disk, kept in chunks, and given out as what no browser runs."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Self
from urllib.parse import quote
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from services.escalation import use_cases
from services.escalation.api.threads import Audience
from services.escalation.domain.attachments import MAX_FILE_BYTES, AttachmentTypeRefused, TooManyAttachments
from services.escalation.domain.removals import CaseContentRemoved
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.mail.file_types import check_mail_file
from services.escalation.repository import attachment_queries, case_queries, inbound_mail_queries
from services.escalation.tables import AttachmentRow
from shared.persistence.database import Unit
from shared.pure.errors import Refusal, Unavailable
from shared.pure.fields import Name, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_upload
from shared.web.http import (
    PROBLEMS,
    BodyInterrupted,
    Page,
    Paging,
    Read,
    Router,
    accept_larger_body,
    describe_problem,
    refusals,
)

reads = Router(tags=["attachments"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(tags=["attachments"], dependencies=[needs("escalation:write")], responses=PROBLEMS)

OCTETS = "application/octet-stream"
BINARY = {"type": "string", "format": "binary"}
FILE: dict[str, Any] = {"requestBody": {"required": True, "content": {OCTETS: {"schema": BINARY}}}}
UNSUPPORTED = describe_problem(
    415, "unsupported_media_type", "the content type is not that of octets", f"send {OCTETS}"
)
NO_ROOM = describe_problem(
    503, "no_room", "there is no room for the file now", "there is no room for the file now; try again"
)
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the file, as it was sent",
        "content": {OCTETS: {"schema": BINARY}},
        "headers": {"Content-Disposition": {"description": "the name of the file", "schema": {"type": "string"}}},
    }
}
SANDBOX = "default-src 'none'; sandbox"


class ContentTypeNotOctets(Refusal):
    """The content type is not that of octets: what a file is, its content says."""

    code = "unsupported_media_type"
    status = 415


class NoRoomForFile(Unavailable):
    """The machine has no room for the file now."""

    code = "no_room"


class AttachmentOut(BaseModel):
    """A file of a case. Its type is found by its content; the name has an extension of that type."""

    model_config = set_model_example(
        id="01a20d66-0b3d-7e92-a6c7-58f10d4b2e51",
        case_id="01a20d65-5762-7a08-b1f4-93d2c07e5a16",
        inbound_mail_id=None,
        audience="internal",
        name="order.pdf",
        media_type="application/pdf",
        size_bytes=18231,
        sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        added_by="support",
        added_at="2026-04-02T10:12:00Z",
        removed_at=None,
    )

    id: UUID
    case_id: UUID | None
    inbound_mail_id: UUID | None
    audience: Audience
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    added_by: str | None
    added_at: datetime
    removed_at: datetime | None = Field(description="when name and content were removed, if they were")

    @classmethod
    def from_row(cls, row: AttachmentRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row, from_attributes=True)


@writes.post(
    "/v1/cases/{case_id}/attachments",
    status_code=201,
    response_model=AttachmentOut,
    summary="Add a file to a case",
    responses={415: UNSUPPORTED, 503: NO_ROOM, **refusals(AttachmentTypeRefused, StateMoveRefused, TooManyAttachments)},
    dependencies=[accept_larger_body(MAX_FILE_BYTES, is_on_disk=True)],
    openapi_extra=FILE,
)
async def add_attachment(
    case_id: UUID,
    request: Request,
    name: Annotated[Name, Query(description="how it is called", examples=["order.pdf"])],
    command: Annotated[CommandRunner, perform_upload("attachment.add")],
    audience: Annotated[Audience, Query(description="who may see it")] = "internal",
) -> Response:
    """Add a file of at most 10 MB: PDF, PNG, JPEG, GIF, WebP, plain text, Word or Excel without macros."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != OCTETS:
        raise ContentTypeNotOctets(f"send {OCTETS}")
    with await asyncio.to_thread(tempfile.TemporaryFile) as content:
        try:
            async for chunk in request.stream():
                await asyncio.to_thread(content.write, chunk)
        except OSError as error:
            raise NoRoomForFile("there is no room for the file now; try again") from error
        except ClientDisconnect as error:
            raise BodyInterrupted("the file ended before it was whole") from error
        file = await asyncio.to_thread(check_mail_file, name, content)

        async def add(unit: Unit) -> AttachmentOut:
            actor = command.caller.subject
            return AttachmentOut.from_row(
                await use_cases.attachments.add_case_attachment(unit, case_id, file, audience, actor)
            )

        return await command.bind_file(file.sha256).run(add, subject=case_id)


@reads.get("/v1/cases/{case_id}/attachments", summary="List the files of a case")
async def list_attachments(case_id: UUID, read: Read, paging: Paging) -> Page[AttachmentOut]:
    """Files in the order in which they came; with those of the cases merged into it."""
    after = paging.get_last_id()

    async def load(unit: Unit) -> list[AttachmentOut]:
        await case_queries.get_case(unit, case_id)
        rows = await attachment_queries.list_attachments_of_case(unit, case_id, after, paging.limit + 1)
        return [AttachmentOut.from_row(row) for row in rows]

    return paging.page(await read(load), key=lambda file: file.id)


@reads.get("/v1/inbound-mails/{inbound_mail_id}/attachments", summary="List the files that a mail brought")
async def list_mail_attachments(inbound_mail_id: UUID, read: Read, paging: Paging) -> Page[AttachmentOut]:
    """Files of a mail that are of a type which is kept; the mail names the others."""
    after = paging.get_last_id()

    async def load(unit: Unit) -> list[AttachmentOut]:
        await inbound_mail_queries.get_inbound_mail_row(unit, inbound_mail_id)
        rows = await attachment_queries.list_attachments_of_mail(unit, inbound_mail_id, after, paging.limit + 1)
        return [AttachmentOut.from_row(row) for row in rows]

    return paging.page(await read(load), key=lambda file: file.id)


@reads.get(
    "/v1/attachments/{attachment_id}/content",
    summary="Download a file",
    response_class=Response,
    responses=CONTENT | refusals(CaseContentRemoved),
)
async def download_attachment(attachment_id: UUID, read: Read) -> Response:
    """The file as it was sent, to be saved: as octets, whatever it is, and with nothing that a browser would run."""
    row = await read(partial(attachment_queries.get_attachment, attachment_id=attachment_id))
    if row.removed_at is not None:
        raise CaseContentRemoved("the file was removed")

    async def stream() -> AsyncIterator[bytes]:
        place = 0
        while chunk := await read(
            partial(attachment_queries.find_attachment_chunk, attachment_id=attachment_id, place=place)
        ):
            yield chunk
            place += 1

    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.name, safe='')}",
        "Content-Length": str(row.size_bytes),
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(stream(), headers=headers, media_type=OCTETS)
