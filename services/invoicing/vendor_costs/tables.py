"""Rows of what the vendor billed, and of where it differs from what we expected (`vendor_charges`)."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Numeric, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class VendorInvoiceRow(Row, table=True):
    """An invoice of the vendor's, for charges from `period_from` until before `period_to`; the total is with tax.

    `post_at` is set while the ledger does not have it: the sweep `vendor_postings` is due then.
    """

    __tablename__ = "vendor_invoices"

    id: UUID = Field(primary_key=True)
    number: str = Field(sa_type=Text)
    legal_entity: str = Field(sa_type=Text, foreign_key="legal_entities.code")
    currency: str = Field(sa_type=Text)
    invoice_date: date
    due_date: date
    period_from: date
    period_to: date
    total_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=DateTime(timezone=True))
    warn_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    warned_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    paid_on: date | None = None
    paid_minor: int | None = Field(default=None, sa_type=BigInteger)
    paid_by: str | None = Field(default=None, sa_type=Text)
    paid_reason: str | None = Field(default=None, sa_type=Text)
    post_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class ReconciliationRow(Row, table=True):
    """A reconciliation file that was taken, and what its comparison came to; a replaced one keeps its row alone."""

    __tablename__ = "reconciliations"

    id: UUID = Field(primary_key=True)
    vendor_invoice_id: UUID = Field(foreign_key="vendor_invoices.id")
    currency: str = Field(sa_type=Text)
    file_sha256: str = Field(sa_type=Text)
    layout: str = Field(sa_type=Text)
    lines: int
    total_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    status: str = Field(sa_type=Text)
    took_ms: int
    reconciled_at: datetime = Field(sa_type=DateTime(timezone=True))
    reconciled_by: str = Field(sa_type=Text)
    replaced_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    replaced_by: str | None = Field(default=None, sa_type=Text)
    replaced_why: str | None = Field(default=None, sa_type=Text)


class VendorDifferenceRow(Row, table=True):
    """Something that the vendor bills otherwise than we expected: a row of the work list, decided once."""

    __tablename__ = "vendor_differences"

    id: UUID = Field(primary_key=True)
    reconciliation_id: UUID = Field(foreign_key="reconciliations.id")
    vendor_invoice_id: UUID = Field(foreign_key="vendor_invoices.id")
    account_id: UUID | None
    subscription_id: UUID | None
    vendor_customer_id: str | None = Field(sa_type=Text)
    vendor_subscription_id: str | None = Field(sa_type=Text)
    product: str | None = Field(sa_type=Text)
    charge_type: str = Field(sa_type=Text)
    period_from: date | None
    period_to: date | None
    first_line: int | None
    lines: int
    verdict: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    billed_quantity: Decimal = Field(sa_type=Numeric)
    expected_quantity: Decimal = Field(sa_type=Numeric)
    billed_minor: int = Field(sa_type=BigInteger)
    expected_minor: int = Field(sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    decision: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    decided_by: str | None = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=DateTime(timezone=True))
