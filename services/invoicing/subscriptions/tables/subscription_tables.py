"""Rows of subscriptions."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class SubscriptionRow(Row, table=True):
    """The billing side of a subscription."""

    __tablename__ = "subscriptions"

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id")
    product: str = Field(sa_type=Text)
    quantity: int
    unit_price_minor: int = Field(sa_type=BigInteger)
    start: date
    end_of_term: date | None
    vendor_customer_id: str = Field(sa_type=Text)
    vendor_subscription_id: str = Field(sa_type=Text)
    bills_while_suspended: bool
    activated_at: datetime = Field(sa_type=DateTime(timezone=True))
