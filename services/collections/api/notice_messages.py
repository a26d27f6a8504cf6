"""Messages of notices over REST, for those who may read what customers were written."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from services.collections.repository.notice_message_queries import get_sent_notice_message
from shared.pure.fields import set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1/notices", tags=["notices"], dependencies=[needs("collections:messages")], responses=PROBLEMS)


class NoticeMessageOut(BaseModel):
    """A message as the next mail hop took it."""

    model_config = set_model_example(
        notice_id="01a20d64-6ea9-7c1d-b83f-47a2e95d0c68",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        recipient="billing@alpenrose.example",
        subject="Last notice before access is suspended",
        text="Hello Alpenrose GmbH,\n\nyour invoice GS-DE-00000001 is still unpaid …",
        sent_at="2026-04-07T07:00:00Z",
    )

    notice_id: UUID
    account_id: UUID
    recipient: str
    subject: str
    text: str
    sent_at: datetime


@reads.get("/{notice_id}/message", summary="The message of a notice that was sent")
async def get_notice_message(notice_id: UUID, read: Read) -> NoticeMessageOut:
    """The text as it was sent, its subject and recipient; 404 where none was sent or kept, or after its erasure."""
    row = await read(lambda unit: get_sent_notice_message(unit, notice_id))
    return NoticeMessageOut.model_validate(row, from_attributes=True)
