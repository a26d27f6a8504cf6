"""Rows of months that are closed."""

from datetime import date, datetime

from sqlalchemy import DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class LedgerPeriodRow(Row, table=True):
    """A month of a legal entity that is closed, with all before it: nothing is posted into them any more."""

    __tablename__ = "ledger_periods"

    legal_entity: str = Field(primary_key=True, sa_type=Text, foreign_key="legal_entities.code")
    month: date = Field(primary_key=True)
    closed_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    closed_at: datetime = Field(sa_type=DateTime(timezone=True))
