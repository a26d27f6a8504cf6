"""When our legal entities work."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, Date, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.invoicing.metadata import Row


class BusinessCalendarRow(Row, table=True):
    """The business calendar of a legal entity, until when it was announced, and when it is announced anew.

    `hours` are those of each weekday from Monday on, in minutes from local midnight.
    """

    __tablename__ = "business_calendars"

    legal_entity: str = Field(primary_key=True, sa_type=Text, foreign_key="legal_entities.code")
    time_zone: str = Field(sa_type=Text)
    country: str | None = Field(sa_type=Text)
    subdivision: str | None = Field(sa_type=Text)
    hours: list[Any] = Field(sa_type=JSONB)
    extra_closed_days: list[Any] = Field(sa_type=JSONB)
    extra_open_days: list[date] = Field(sa_type=ARRAY(Date))
    covers_until: date
    announce_at: datetime = Field(sa_type=DateTime(timezone=True))
    version: int
    changed_by: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))
