"""Accounts and subscriptions, invoices and what happened to them, payments, credit notes, numbers."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class InvoiceRow(Row, table=True):
    """An issued invoice; the service's role can insert it and never change it.

    `tax_request_id` is what the outside tax calculator was asked by, and `tax_note` what it wants to be said of it.
    """

    __tablename__ = "invoices"

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id")
    legal_entity: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    external_reference: str | None = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    issue_date: date
    due_date: date
    total_minor: int = Field(sa_type=BigInteger)
    issued_at: datetime = Field(sa_type=DateTime(timezone=True))
    tax_request_id: UUID | None = None
    tax_note: str | None = Field(default=None, sa_type=Text)
