"""Rows of direct debits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.invoicing.metadata import Row


class DebitRow(Row, table=True):
    """A direct debit: its amounts are in flight until the bank says what became of it."""

    __tablename__ = "debits"

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id")
    invoice_id: UUID = Field(foreign_key="invoices.id")
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    lines: list[list[int]] = Field(sa_type=JSONB)
    state: str = Field(sa_type=Text)
    initiated_at: datetime = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    failure: str | None = Field(sa_type=Text)
    payment_id: UUID | None = Field(foreign_key="payments.id")
