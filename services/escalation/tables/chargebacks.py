"""Chargebacks of card payments: their cases, and until when the network takes an answer."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text, Uuid
from sqlmodel import Field

from services.escalation.tables.base import Row
from services.escalation.tables.cases import CaseRow  # noqa: F401  # the table that it refers to


class ChargebackRow(Row, table=True):
    """A chargeback of invoicing, as far as the network is owed an answer; `wake_at` is when somebody is warned."""

    __tablename__ = "chargebacks"

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

    id: UUID = Field(primary_key=True)
    chargeback_id: UUID = Field(foreign_key="chargebacks.chargeback_id")
    account_id: UUID
    attachment_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    submitted_by: str = Field(sa_type=Text)
    submitted_at: datetime = Field(sa_type=DateTime(timezone=True))
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))
    is_late: bool
