"""Removal of what people wrote, over REST: for how long it is kept, and what is of one person."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.escalation import use_cases
from services.escalation.domain.removals import MAX_RETENTION_DAYS, MIN_RETENTION_DAYS
from services.escalation.repository import removal_queries
from services.escalation.tables import RetentionPeriodRow
from services.escalation.use_cases.removals import CorrespondenceErasure
from shared.persistence.database import Unit
from shared.pure.fields import Email, Prose, RequestBody, set_model_example
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, CommandRunner, perform_change, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router

reads = Router(prefix="/v1", tags=["removals"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
admin = Router(prefix="/v1", tags=["removals"], dependencies=[needs("escalation:admin")], responses=PROBLEMS)

MAX_ADDRESSES = 10


class RetentionPeriodIn(RequestBody):
    """For how long words are kept."""

    model_config = set_model_example(days=1095, reason="three years, as our privacy policy says")

    days: int = Field(ge=MIN_RETENTION_DAYS, le=MAX_RETENTION_DAYS, strict=True)
    reason: Prose


class RetentionPeriodOut(BaseModel):
    """For how long the words of closed cases, and mails of no case, are kept; without `set_by` nobody has set it."""

    model_config = set_model_example(
        days=1095,
        set_by="support-lead",
        reason="three years, as our privacy policy says",
        set_at="2026-04-02T09:30:00Z",
    )

    days: int = Field(description="from the closing of a case, or from what was written in it later")
    set_by: str | None
    reason: str | None
    set_at: datetime | None

    @classmethod
    def from_row(cls, row: RetentionPeriodRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row.model_dump())


class ErasureIn(RequestBody):
    """Why a person is erased, and from which addresses they wrote where no contact person was named."""

    model_config = set_model_example(reason="she asked for it", addresses=["ines@alpenrose.example"])

    reason: Prose
    addresses: list[Email] = Field(default_factory=list, max_length=MAX_ADDRESSES)


class CorrespondentErasureIn(RequestBody):
    """Why somebody is erased who wrote from these addresses."""

    model_config = set_model_example(reason="they asked for it", addresses=["stranger@elsewhere.example"])

    reason: Prose
    addresses: list[Email] = Field(min_length=1, max_length=MAX_ADDRESSES)


class ErasureOut(BaseModel):
    """Result of one request to erase; whoever has more mails is erased by more requests."""

    model_config = set_model_example(mails=14, is_complete=True)

    mails: int
    is_complete: bool = Field(description="whether nothing is left to be erased")

    @classmethod
    def from_erasure(cls, erasure: CorrespondenceErasure) -> Self:
        """Build the answer for an erasure."""
        return cls(mails=erasure.mails, is_complete=erasure.is_complete)


class CorrespondenceOut(BaseModel):
    """A mail that a person got or wrote; what was removed has no words."""

    model_config = set_model_example(
        id="01a20d66-0b3d-7e92-a6c7-58f10d4b2e41",
        direction="in",
        case_id="01a20d65-5762-7a08-b1f4-93d2c07e5a16",
        entry_id="01a20d66-0b3d-7e92-a6c7-58f10d4b2e42",
        passed_at="2026-04-02T10:12:00Z",
        sender="ines@alpenrose.example",
        subject="Re: [case 1042] What is line 3?",
        content="We ordered ten.",
        attachment_ids=["01a20d66-0b3d-7e92-a6c7-58f10d4b2e51"],
        removed_at=None,
    )

    id: UUID
    direction: Literal["in", "out"] = Field(description="`in`: the person wrote it")
    case_id: UUID | None = Field(description="null: it is of no case")
    entry_id: UUID | None
    passed_at: datetime = Field(description="when it came, or was written here")
    sender: str | None = Field(description="of a mail that came in")
    subject: str | None
    content: str
    attachment_ids: list[UUID] = Field(description="files that it brought")
    removed_at: datetime | None


@reads.get("/retention-period", summary="For how long words are kept")
async def get_retention_period(read: Read) -> RetentionPeriodOut:
    """Days from the closing of a case until what people wrote in it is removed."""
    return RetentionPeriodOut.from_row(await read(removal_queries.get_case_retention_period))


@admin.put("/retention-period", summary="Say for how long words are kept")
async def put_retention_period(
    period: RetentionPeriodIn, command: Annotated[ChangeRunner, perform_change("retention_period.set")]
) -> RetentionPeriodOut:
    """Set the period, also for what is closed already. What a shorter one ends is removed at once, and for good."""

    async def set_period(unit: Unit) -> RetentionPeriodOut:
        actor = command.caller.subject
        row = await use_cases.removals.set_retention_period(unit, period.days, actor, period.reason)
        return RetentionPeriodOut.from_row(row)

    return await command.run(set_period, reason=period.reason)


@admin.post(
    "/contact-persons/{contact_person_id}:erase",
    status_code=200,
    response_model=ErasureOut,
    summary="Erase what a contact person wrote and got",
)
async def erase_contact_person(
    contact_person_id: UUID,
    erasure: ErasureIn,
    command: Annotated[CommandRunner, perform_command("contact_person.erase")],
) -> Response:
    """Empty for good the mails that a contact person got or wrote, with their files; at most 500 by one request.

    Invoicing erases what names them.
    """

    async def erase(unit: Unit) -> ErasureOut:
        return ErasureOut.from_erasure(
            await use_cases.removals.erase_correspondence(unit, contact_person_id, erasure.addresses)
        )

    return await command.run(erase, status=200, reason=erasure.reason, subject=contact_person_id)


@admin.post(
    "/correspondents:erase", status_code=200, response_model=ErasureOut, summary="Erase what came from addresses"
)
async def erase_correspondent(
    erasure: CorrespondentErasureIn, command: Annotated[CommandRunner, perform_command("correspondent.erase")]
) -> Response:
    """Empty for good the mails that came from these addresses, with their files; at most 500 by one request."""

    async def erase(unit: Unit) -> ErasureOut:
        return ErasureOut.from_erasure(await use_cases.removals.erase_correspondence(unit, None, erasure.addresses))

    return await command.run(erase, status=200, reason=erasure.reason)


@admin.get("/contact-persons/{contact_person_id}/correspondence", summary="Export what a contact person wrote and got")
async def export_correspondence(
    contact_person_id: UUID,
    read: Read,
    paging: Paging,
    address: Annotated[
        list[Email] | None,
        Query(max_length=MAX_ADDRESSES, description="addresses from which they wrote where nobody named them"),
    ] = None,
) -> Page[CorrespondenceOut]:
    """All mails that a contact person got or wrote, in the order in which they came or were written."""
    senders = sorted({sender.lower() for sender in address or []})
    after = paging.get_last_id()
    rows = await read(
        lambda unit: removal_queries.list_correspondence_of_person(
            unit, contact_person_id, senders, after, paging.limit + 1
        )
    )
    items = [CorrespondenceOut.model_validate(dict(row)) for row in rows]
    return paging.page(items, key=lambda mail: mail.id)
