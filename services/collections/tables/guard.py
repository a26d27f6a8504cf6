"""The guard: its switch and limits, what persons decided about it, and the changes of its limits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.collections.tables.base import Row


class GuardLimitChangeRow(Row, table=True):
    """Somebody wants the guard to have other limits: that was done at once, or waits for a second person."""

    __tablename__ = "guard_limit_changes"

    id: UUID = Field(primary_key=True)
    former: dict[str, Any] = Field(sa_type=JSONB)
    wanted: dict[str, Any] = Field(sa_type=JSONB)
    reason: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    proposed_by: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=DateTime(timezone=True))
    decided_by: str | None = Field(sa_type=Text)
    decision_reason: str | None = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=DateTime(timezone=True))
