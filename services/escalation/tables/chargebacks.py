"""Chargebacks of card payments: their cases, and until when the network takes an answer."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, text
from sqlmodel import Field

from services.escalation.tables.base import Row
from services.escalation.tables.cases import CaseRow  # noqa: F401  # the table that it refers to


class ChargebackRow(Row, table=True):
    """A chargeback of invoicing, as far as the network is owed an answer; `wake_at` is when somebody is warned."""

    __tablename__ = "chargebacks"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'won', 'lost')"),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)"),
        CheckConstraint("wake_at IS NULL OR state = 'open'"),
        Index("chargebacks_of_case", "case_id"),
        Index("chargebacks_due", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
    )

    chargeback_id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id")
    account_id: UUID
    answer_by: date
    state: str = Field(sa_type=Text)
    warned_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    wake_at: datetime | None = Field(sa_type=DateTime(timezone=True))
