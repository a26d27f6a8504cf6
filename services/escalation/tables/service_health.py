"""Incidents of the vendor's services, who looks for them, and the cases that fit."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text
from sqlmodel import Field

from services.escalation.tables.base import Row


class HealthWatchRow(Row, table=True):
    """A legal entity for which service health is looked at."""

    __tablename__ = "health_watches"

    id: UUID = Field(primary_key=True)
    legal_entity: str = Field(sa_type=Text, foreign_key="vendor_channels.legal_entity")
    next_reading_at: datetime = Field(sa_type=DateTime(timezone=True))
    read_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    reading_refusal: str | None = Field(default=None, sa_type=Text)


class IncidentRow(Row, table=True):
    """An incident of the vendor's, as it was seen last; its content is the newest update."""

    __tablename__ = "incidents"

    reference: str = Field(primary_key=True, sa_type=Text)
    title: str = Field(sa_type=Text)
    content: str = Field(sa_type=Text)
    services: list[str] = Field(sa_type=ARRAY(Text))
    regions: list[str] = Field(sa_type=ARRAY(Text))
    status: str = Field(sa_type=Text)
    began_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    seen_at: datetime = Field(sa_type=DateTime(timezone=True))
