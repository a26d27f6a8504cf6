"""Accounts and subscriptions, invoices and what happened to them, payments, credit notes, numbers."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from services.invoicing.metadata import Row


class InvoiceRow(Row, table=True):
    """An issued invoice; the service's role can insert it and never change it.

    `tax_request_id` is what the outside tax calculator was asked by, and `tax_note` what it wants to be said of it.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("legal_entity", "number"),
        UniqueConstraint("account_id", "external_reference"),
        CheckConstraint("total_minor > 0"),
        CheckConstraint("due_date >= issue_date"),
        Index("invoices_by_entity", "legal_entity", "id"),
        Index("invoices_by_due_date", "due_date", "id"),
        Index(
            "invoices_by_external_reference",
            "external_reference",
            postgresql_where=text("external_reference IS NOT NULL"),
        ),
    )

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
