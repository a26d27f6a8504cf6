"""Notices over REST."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.collections.repository import notice_queries
from services.collections.repository.notice_search import NoticeCriteria, NoticeState, search_notices
from services.collections.tables import NoticeRow
from services.collections.use_cases import notice_sending
from services.collections.use_cases.notice_sending import NoticeNotFailed
from shared.persistence.database import Unit
from shared.pure.fields import Instant, ReasonIn, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/notices", tags=["notices"], dependencies=[needs("collections:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/notices", tags=["notices"], dependencies=[needs("collections:write")], responses=PROBLEMS)


class NoticeOut(BaseModel):
    """A message to the customer and what became of it."""

    model_config = set_model_example(
        id="01a20d64-6ea9-7c1d-b83f-47a2e95d0c68",
        kind="steps",
        template="final_notice",
        state="sent",
        created_at="2026-04-07T07:00:00Z",
        delivered_at="2026-04-07T07:00:00Z",
        failure=None,
        items=[
            {
                "step": "final_notice",
                "round": 1,
                "number": "GS-DE-00000001",
                "currency": "EUR",
                "invoice_id": "01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
                "dunnable_minor": 20160,
                "policy_version": 1,
                "template": "final_notice",
                "access": "ends",
                "open_minor": 20160,
                "to_pay_minor": 20160,
                "subscription_ids": ["01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35"],
                "coming": [{"step": "suspend", "action": "suspend", "template": None, "day": "2026-04-14"}],
            }
        ],
        subscription_ids=[],
    )

    id: UUID
    kind: str
    template: str
    state: str
    created_at: datetime
    delivered_at: datetime | None
    failure: str | None = Field(description="why it was refused or withdrawn")
    items: list[dict[str, Any]] = Field(description="the invoices that it states, with what it says of each")
    subscription_ids: list[UUID] = Field(description="those whose access it says is suspended or restored")

    @classmethod
    def of(cls, row: NoticeRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class ListedNoticeOut(NoticeOut):
    """A notice with its account."""

    model_config = set_model_example(**get_model_example(NoticeOut), account_id="01a20d60-7458-729b-b244-54f33ab0c1d2")

    account_id: UUID


@reads.get("", summary="List notices")
async def list_notices(
    read: Read,
    paging: Paging,
    account_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[NoticeState | None, Query()] = None,
    since: Annotated[Instant | None, Query(description="written then or later")] = None,
) -> Page[ListedNoticeOut]:
    """Notices of all accounts or of one, the newest first."""
    criteria, after = NoticeCriteria(account_id, state, since), paging.get_last_id()
    rows = await read(lambda unit: search_notices(unit, criteria, after, paging.limit + 1))
    return paging.page([ListedNoticeOut.model_validate(dict(row)) for row in rows], key=lambda notice: notice.id)


@reads.get("/{notice_id}", summary="One notice")
async def get_notice(notice_id: UUID, read: Read) -> NoticeOut:
    """A notice and what became of it."""
    return NoticeOut.of(await read(lambda unit: notice_queries.get_notice(unit, notice_id)))


@writes.post(
    "/{notice_id}:retry",
    status_code=200,
    response_model=NoticeOut,
    summary="Send a failed notice again",
    responses=refusals(NoticeNotFailed),
)
async def retry_notice(
    notice_id: UUID, body: ReasonIn, command: Annotated[CommandRunner, perform_command("notice.retry")]
) -> Response:
    """After the address was mended: the notice goes out again, and its days count from then."""

    async def retry(unit: Unit) -> NoticeOut:
        return NoticeOut.of(await notice_sending.retry_notice(unit, notice_id))

    return await command.run(retry, status=200, reason=body.reason)
