"""The rows of the schema `collections`: facts with their times, what was done, and why."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.collections.tables.base import METADATA, Row
from services.collections.tables.guard import GuardLimitChangeRow

__all__ = [
    "METADATA",
    "GuardLimitChangeRow",
    "NoticeMessageRow",
    "NoticeRow",
    "PolicyVersionRow",
    "Row",
]


class PolicyVersionRow(Row, table=True):
    """A published version of the collection policy; never edited."""

    __tablename__ = "policies"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(sa_type=Text)
    effective_date: date
    document: str = Field(sa_type=Text)
    published_at: datetime = Field(sa_type=DateTime(timezone=True))
    published_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)


class NoticeRow(Row, table=True):
    """A message to the customer; its id and `secret` stand in the Message-ID of every attempt.

    A person's retry is another message, with another secret. `bounce_id` is the secret's digest.
    """

    __tablename__ = "notices"

    id: UUID = Field(primary_key=True)
    account_id: UUID
    kind: str = Field(sa_type=Text)
    template: str = Field(sa_type=Text)
    items: list[dict[str, Any]] = Field(sa_type=JSONB)
    subscription_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    state: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    delivered_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    failure: str | None = Field(sa_type=Text)
    secret: str | None = Field(sa_type=Text)
    bounce_id: UUID | None


class NoticeMessageRow(Row, table=True):
    """The message of a notice as the next mail hop took it; personal, and empty once it was erased."""

    __tablename__ = "notice_messages"

    notice_id: UUID = Field(primary_key=True, foreign_key="notices.id")
    account_id: UUID
    recipient: str | None = Field(sa_type=Text)
    subject: str | None = Field(sa_type=Text)
    text: str | None = Field(sa_type=Text)
    sent_at: datetime = Field(sa_type=DateTime(timezone=True))
