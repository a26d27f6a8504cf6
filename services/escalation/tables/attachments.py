"""Files of cases, in chunks, so that none is ever whole in memory."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlmodel import Field

from services.escalation.tables.base import Row


class AttachmentRow(Row, table=True):
    """A file of a case, or of a mail that waits for a person; it came by a mail or by somebody.

    One that was removed has neither name nor content; its digest, type and size stay.
    """

    __tablename__ = "attachments"

    id: UUID = Field(primary_key=True)
    case_id: UUID | None = Field(foreign_key="cases.id")
    inbound_mail_id: UUID | None = Field(foreign_key="inbound_mails.id")
    audience: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    media_type: str = Field(sa_type=Text)
    size_bytes: int
    sha256: str = Field(sa_type=Text)
    added_by: str | None = Field(sa_type=Text)
    added_at: datetime = Field(sa_type=DateTime(timezone=True))
    removed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
