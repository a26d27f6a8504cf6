"""Rows of accounts: customers, by currency."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Index, Text, text
from sqlmodel import Field

from services.invoicing.metadata import Row


class AccountRow(Row, table=True):
    """A billing customer."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("tax_status IN ('standard', 'exempt', 'reverse_charge')"),
        Index("accounts_by_beginning", text('lower(name) COLLATE "C"')),
        Index("accounts_by_email", text("lower(billing_email)")),
        Index("accounts_by_vendor_id", "vendor_customer_ids", postgresql_using="gin"),
        Index("accounts_by_entity", "legal_entity", "id"),
    )

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    legal_entity: str = Field(sa_type=Text, foreign_key="legal_entities.code")
    currency: str = Field(sa_type=Text)
    time_zone: str = Field(sa_type=Text)
    billing_email: str = Field(sa_type=Text)
    terms_days: int
    external_reference: str | None = Field(sa_type=Text, unique=True)
    vendor_customer_ids: list[str] = Field(sa_type=ARRAY(Text))
    country: str | None = Field(sa_type=Text)
    tax_status: str = Field(sa_type=Text)
    tax_id: str | None = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    address: list[str] | None = Field(sa_type=ARRAY(Text))
    support_level: str = Field(sa_type=Text)
    version: int
    registered_at: datetime = Field(sa_type=DateTime(timezone=True))
