"""Rows of accounts: customers, by currency."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class AccountRow(Row, table=True):
    """A billing customer."""

    __tablename__ = "accounts"

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    legal_entity: str = Field(sa_type=Text, foreign_key="legal_entities.code")
    currency: str = Field(sa_type=Text)
    time_zone: str = Field(sa_type=Text)
    billing_email: str = Field(sa_type=Text)
    terms_days: int
    external_reference: str | None = Field(sa_type=Text)
    vendor_customer_ids: list[str] = Field(sa_type=ARRAY(Text))
    country: str | None = Field(sa_type=Text)
    tax_status: str = Field(sa_type=Text)
    tax_id: str | None = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    address: list[str] | None = Field(sa_type=ARRAY(Text))
    support_level: str = Field(sa_type=Text)
    version: int
    registered_at: datetime = Field(sa_type=DateTime(timezone=True))
