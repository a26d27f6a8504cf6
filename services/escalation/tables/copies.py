"""Copies of what other services announce: accounts and invoices."""

from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field

from services.escalation.tables.base import Row


class AccountRow(Row, table=True):
    """An account of invoicing."""

    __tablename__ = "accounts"

    account_id: UUID = Field(primary_key=True)
    currency: str = Field(sa_type=Text)


class InvoiceRow(Row, table=True):
    """An invoice of invoicing."""

    __tablename__ = "invoices"

    invoice_id: UUID = Field(primary_key=True)
    account_id: UUID
    number: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
