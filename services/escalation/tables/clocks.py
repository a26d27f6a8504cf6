"""Clocks of cases, and how long each kind of answer may take."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class ResponseTargetRow(Row, table=True):
    """How long an answer may take for a support level, by kind and severity of the case; `none` has no severity."""

    __tablename__ = "response_targets"

    support_level: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    severity: str = Field(primary_key=True, sa_type=Text)
    which: str = Field(primary_key=True, sa_type=Text)
    minutes: int
    business_days: int
    is_round_the_clock: bool
    warn_minutes: int
    set_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    set_at: datetime = Field(sa_type=DateTime(timezone=True))


class CaseClockRow(Row, table=True):
    """A run of a clock of a case; without `due_at` it is paused."""

    __tablename__ = "case_clocks"

    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    whose: str = Field(primary_key=True, sa_type=Text)
    which: str = Field(primary_key=True, sa_type=Text)
    run: int = Field(primary_key=True)
    account_id: UUID
    minutes: int
    business_days: int
    is_round_the_clock: bool
    warn_minutes: int
    began_at: datetime = Field(sa_type=DateTime(timezone=True))
    pauses: list[list[str | None]] = Field(sa_type=JSONB)
    due_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    warn_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    wake_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    warned_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    missed_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    stopped_at: datetime | None = Field(sa_type=DateTime(timezone=True))
