"""Rows of deliveries of documents."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class DocumentDeliveryRow(Row, table=True):
    """A document that is sent. The first one of a document has its id, so that there is one; `id` is the intent's.

    Its id and `secret` stand in its Message-ID; `bounce_id` is the secret's digest.
    """

    __tablename__ = "document_deliveries"

    id: UUID = Field(primary_key=True)
    document_id: UUID
    account_id: UUID = Field(foreign_key="accounts.id")
    kind: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    wanted_at: datetime = Field(sa_type=DateTime(timezone=True))
    wanted_by: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    delivered_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    failure: str | None = Field(sa_type=Text)
    secret: str | None = Field(sa_type=Text)
    bounce_id: UUID | None
