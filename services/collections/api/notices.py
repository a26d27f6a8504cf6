"""Notices over REST."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.collections import use_cases
from services.collections.api.standing import NoticeOut
from services.collections.repository import notices as repository
from shared.auth import needs
from shared.database import Unit
from shared.fields import ReasonIn
from shared.http import PROBLEMS, Page, Read
from shared.idempotency import Command

reads = APIRouter(prefix="/v1/notices", tags=["notices"], dependencies=[needs("collections:read")], responses=PROBLEMS)
writes = APIRouter(
    prefix="/v1/notices", tags=["notices"], dependencies=[needs("collections:write")], responses=PROBLEMS
)


@reads.get("", summary="The notices of an account")
async def list_notices(
    read: Read, account_id: Annotated[UUID, Query()], limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page[NoticeOut]:
    """The notices of an account, newest first."""
    rows = await read(lambda unit: repository.notices_of(unit, account_id, limit))
    return Page(items=[NoticeOut.of(row) for row in rows], next=None)


@reads.get("/{notice_id}", summary="One notice")
async def get_notice(notice_id: UUID, read: Read) -> NoticeOut:
    """A notice and what became of it."""
    return NoticeOut.of(await read(lambda unit: repository.notice(unit, notice_id)))


@writes.post("/{notice_id}:retry", status_code=200, response_model=NoticeOut, summary="Send a failed notice again")
async def retry_notice(notice_id: UUID, why: ReasonIn, command: Command) -> Response:
    """After the address was mended: the notice goes out again, and its days count from then."""

    async def retry(unit: Unit) -> NoticeOut:
        return NoticeOut.of(await use_cases.delivery.retry(unit, notice_id))

    return await command.run(retry, status=200, reason=why.reason)
