"""How long words of people are kept."""

from datetime import datetime

from sqlalchemy import DateTime, Text
from sqlmodel import Field

from services.escalation.tables.base import Row


class RetentionPeriodRow(Row, table=True):
    """For how many days the words of closed cases, and of mails of no case, are kept: a single row."""

    __tablename__ = "retention_period"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    days: int
    set_by: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    set_at: datetime | None = Field(sa_type=DateTime(timezone=True))
