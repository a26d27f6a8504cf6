"""Disputes on lines of invoices. Comments of people stay here; nothing personal goes onto topics."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class DisputeRow(Row, table=True):
    """A dispute on lines of one invoice, with amounts (minor units)."""

    __tablename__ = "disputes"
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'opened', 'refused', 'waiting_for_second_person',"
            " 'upheld', 'rejected', 'withdrawn')"
        ),
        CheckConstraint("num_nulls(uphold_proposed_by, uphold_proposed_at) IN (0, 2)"),
        CheckConstraint("state <> 'waiting_for_second_person' OR uphold_proposed_by IS NOT NULL"),
        CheckConstraint("total_minor > 0"),
        Index("disputes_of_account", "account_id"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id")
    account_id: UUID
    invoice_id: UUID
    currency: str = Field(sa_type=Text)
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    total_minor: int = Field(sa_type=BigInteger)
    comment: str | None = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    refusal: str | None = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=DateTime(timezone=True))
    opened_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    credit_note_id: UUID | None
    uphold_proposed_by: str | None = Field(sa_type=Text)
    uphold_proposed_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_reason: str | None = Field(sa_type=Text)
