"""Rows of tolerances: differences that a payment may leave."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class ToleranceRow(Row, table=True):
    """Amount that a payment may leave open of an invoice and still settle it."""

    __tablename__ = "tolerances"
    __table_args__ = (CheckConstraint("amount_minor >= 0"),)

    legal_entity: str = Field(primary_key=True, sa_type=Text)
    currency: str = Field(primary_key=True, sa_type=Text)
    amount_minor: int = Field(sa_type=BigInteger)
    set_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    set_at: datetime = Field(sa_type=DateTime(timezone=True))
