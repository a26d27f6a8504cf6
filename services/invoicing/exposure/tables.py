"""Exchange rates as somebody published them; no amount is kept in another currency than its own."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Numeric, Text, UniqueConstraint
from sqlmodel import Field

from services.invoicing.metadata import Row


class ExchangeRateRow(Row, table=True):
    """So many units of `quote` are one unit of `base`, says a source for a date; a corrected rate takes its place."""

    __tablename__ = "exchange_rates"
    __table_args__ = (
        UniqueConstraint("rate_date", "source", "base", "quote"),
        Index("exchange_rates_of_quote", "quote", "rate_date"),
        CheckConstraint("rate > 0"),
        CheckConstraint("base <> quote"),
    )

    id: UUID = Field(primary_key=True)
    source: str = Field(sa_type=Text)
    rate_date: date
    base: str = Field(sa_type=Text)
    quote: str = Field(sa_type=Text)
    rate: Decimal = Field(sa_type=Numeric)
    set_by: str = Field(sa_type=Text)
    set_at: datetime = Field(sa_type=DateTime(timezone=True))
