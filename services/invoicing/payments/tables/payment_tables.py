"""Rows of payments, and of what they were allocated to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class PaymentRow(Row, table=True):
    """Money received; what is not allocated is unapplied cash, and what was charged back is with the card network."""

    __tablename__ = "payments"

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id")
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Text)
    reference: str | None = Field(sa_type=Text)
    unapplied_minor: int = Field(sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=DateTime(timezone=True))
    charged_back_minor: int = Field(sa_type=BigInteger)
