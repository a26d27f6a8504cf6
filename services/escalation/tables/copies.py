"""Copies of what other services announce: accounts and invoices."""

from datetime import date

from sqlalchemy import Date, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class BusinessCalendarRow(Row, table=True):
    """The business calendar of a legal entity, as it was announced last."""

    __tablename__ = "calendars"

    legal_entity: str = Field(primary_key=True, sa_type=Text)
    time_zone: str = Field(sa_type=Text)
    hours: list[list[list[int]]] = Field(sa_type=JSONB)
    closed_days: list[str] = Field(sa_type=JSONB)
    covers_until: date = Field(sa_type=Date)
