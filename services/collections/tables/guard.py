"""The guard: its switch and limits, what persons decided about it, and the changes of its limits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.collections.tables.base import Row


class GuardLimitChangeRow(Row, table=True):
    """Somebody wants the guard to have other limits: that was done at once, or waits for a second person."""

    __tablename__ = "guard_limit_changes"
    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'carried_out', 'declined', 'withdrawn')"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)"),
        CheckConstraint("num_nulls(decided_by, decision_reason) IN (0, 2)"),
        CheckConstraint("state IN ('proposed', 'carried_out') OR decided_by IS NOT NULL"),
        CheckConstraint("state = 'withdrawn' OR decided_by IS DISTINCT FROM proposed_by"),
        Index("guard_limit_changes_standing", "state", unique=True, postgresql_where=text("state = 'proposed'")),
    )

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


class GuardRow(Row, table=True):
    """The guard: one row; its switch, and its limits, both of which are null until a policy or a person set them."""

    __tablename__ = "guard"
    __table_args__ = (
        CheckConstraint("id = 1"),
        CheckConstraint("(suspensions_per_hour IS NULL) = (share_of_accounts_percent IS NULL)"),
        CheckConstraint("suspensions_per_hour >= 0"),
        CheckConstraint("share_of_accounts_percent BETWEEN 0 AND 100"),
    )

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    stopped: bool
    approved_until: datetime | None = Field(sa_type=DateTime(timezone=True))
    suspensions_per_hour: int | None
    share_of_accounts_percent: int | None


class GuardDecisionRow(Row, table=True):
    """Decision of a person about the guard, with its reason."""

    __tablename__ = "guard_decisions"
    __table_args__ = (CheckConstraint("decision IN ('stop', 'resume', 'approve', 'set_limits')"),)

    id: UUID = Field(primary_key=True)
    decision: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    decided_at: datetime = Field(sa_type=DateTime(timezone=True))
