"""Rows of usage."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    Numeric,
    Text,
)
from sqlmodel import Field

from services.invoicing.metadata import Row


class UsageLineRow(Row, table=True):
    """Rated usage, each line once by its source's id; never changed. `unit_cost` is in units of the currency."""

    __tablename__ = "usage_lines"
    __table_args__ = (
        CheckConstraint("period_to > period_from"),
        CheckConstraint("least(quantity, unit_cost) >= 0"),
        CheckConstraint("amount_minor >= 0"),
        Index("usage_lines_of_charge", "charge_id"),
    )

    source: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    account_id: UUID
    subscription_id: UUID = Field(foreign_key="subscriptions.id")
    meter: str = Field(sa_type=Text)
    quantity: Decimal = Field(sa_type=Numeric)
    unit_cost: Decimal = Field(sa_type=Numeric)
    period_from: date
    period_to: date
    amount_minor: int = Field(sa_type=BigInteger)
    charge_id: UUID
    received_at: datetime = Field(sa_type=DateTime(timezone=True))
