"""Chargebacks of card payments: their cases, and until when the network takes an answer."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Index, Text, Uuid, text
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


class ChargebackEvidenceRow(Row, table=True):
    """Evidence that somebody gave to the network: which files of the case, and whether it came after the last day."""

    __tablename__ = "chargeback_evidence"
    __table_args__ = (
        CheckConstraint("submitted_at <= recorded_at"),
        Index("chargeback_evidence_of_chargeback", "chargeback_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    chargeback_id: UUID = Field(foreign_key="chargebacks.chargeback_id")
    account_id: UUID
    attachment_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    submitted_by: str = Field(sa_type=Text)
    submitted_at: datetime = Field(sa_type=DateTime(timezone=True))
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))
    is_late: bool
