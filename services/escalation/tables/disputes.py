"""Disputes on lines of invoices. Comments of people stay here; nothing personal goes onto topics."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class DisputeRow(Row, table=True):
    """A dispute on lines of one invoice, with amounts (minor units), reasons and what is approved of each line."""

    __tablename__ = "disputes"

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
    credit_note_number: str | None = Field(default=None, sa_type=Text)
    review_began_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    paused_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    question_cause: str | None = Field(default=None, sa_type=Text)


class DisputeAmendmentRow(Row, table=True):
    """Other amounts that somebody wants to dispute; they are a fact once invoicing has reserved them."""

    __tablename__ = "dispute_amendments"

    dispute_id: UUID = Field(primary_key=True, foreign_key="disputes.id")
    number: int = Field(primary_key=True)
    account_id: UUID
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    total_minor: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    refusal: str | None = Field(sa_type=Text)
    requested_by: str = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class DisputeReasonRow(Row, table=True):
    """A reason for which lines are disputed; with days it pauses the invoice until its document is right.

    The codes are ours: a list of its own beside `service_credit_types`, and `chargeback_reasons` of invoicing.
    """

    __tablename__ = "dispute_reasons"

    code: str = Field(primary_key=True, sa_type=Text)
    titles: dict[str, str] = Field(sa_type=JSONB)
    pause_days: int | None
    is_active: bool
