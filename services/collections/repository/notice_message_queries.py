"""Messages of notices as they were sent: people's words, kept apart from what is listed, logged or announced."""

from typing import NamedTuple
from uuid import UUID

from services.collections.tables import NoticeMessageRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


class SentNoticeMessage(NamedTuple):
    """A message as the next mail hop took it."""

    recipient: str
    subject: str
    text: str


async def save_notice_message(unit: Unit, notice_id: UUID, account_id: UUID, message: SentNoticeMessage) -> None:
    """Save the message of a notice that was sent, in the place of a former one that came back."""
    await unit.connection.execute(
        "INSERT INTO notice_messages (notice_id, account_id, recipient, subject, text, sent_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (notice_id) DO UPDATE SET recipient = excluded.recipient,"
        " subject = excluded.subject, text = excluded.text, sent_at = excluded.sent_at",
        notice_id,
        account_id,
        *message,
        unit.now,
    )


async def get_sent_notice_message(unit: Unit, notice_id: UUID) -> NoticeMessageRow:
    """Get the message of a notice. Raises NotFound: none was sent or kept, or it was erased."""
    row = await unit.session.get(NoticeMessageRow, notice_id)
    if row is None:
        raise NotFound(f"no message of a notice {notice_id} is kept: none was sent, or before messages were kept")
    if row.text is None:
        raise NotFound(f"the message of notice {notice_id} was erased")
    return row
