"""Rows of what the vendor billed, and of where it differs from what we expected (`vendor_charges`)."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Numeric, Text, text
from sqlmodel import Field

from services.invoicing.metadata import Row

_VERDICTS = (
    "('matched', 'within_tolerance', 'quantity_difference', 'price_difference', 'missing_with_us',"
    " 'missing_at_vendor', 'no_customer', 'not_comparable')"
)


class VendorInvoiceRow(Row, table=True):
    """An invoice of the vendor's, for charges from `period_from` until before `period_to`; the total is with tax.

    `post_at` is set while the ledger does not have it: the sweep `vendor_postings` is due then.
    """

    __tablename__ = "vendor_invoices"
    __table_args__ = (
        CheckConstraint("tax_minor >= 0 AND tax_minor <= total_minor"),
        CheckConstraint("due_date >= invoice_date"),
        CheckConstraint("period_to > period_from"),
        CheckConstraint("state IN ('received', 'paid')"),
        CheckConstraint("(state = 'paid') = (paid_on IS NOT NULL AND paid_minor IS NOT NULL AND paid_by IS NOT NULL)"),
        CheckConstraint("state = 'received' OR warn_at IS NULL"),
        Index("vendor_invoices_due", "warn_at", postgresql_where=text("warn_at IS NOT NULL")),
        Index("vendor_invoices_to_post", "post_at", postgresql_where=text("post_at IS NOT NULL")),
        Index("vendor_invoices_unpaid", "due_date", postgresql_where=text("state = 'received'")),
    )

    id: UUID = Field(primary_key=True)
    number: str = Field(sa_type=Text, unique=True)
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
    __table_args__ = (
        CheckConstraint("layout IN ('csv', 'jsonl')"),
        CheckConstraint("status IN ('clean', 'differences', 'not_compared')"),
        CheckConstraint("lines >= 0"),
        Index(
            "reconciliations_current",
            "vendor_invoice_id",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

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
    __table_args__ = (
        CheckConstraint(f"verdict IN {_VERDICTS}"),
        CheckConstraint("verdict NOT IN ('matched', 'within_tolerance')"),
        CheckConstraint("state IN ('open', 'decided')"),
        CheckConstraint("decision IN ('dispute_with_vendor', 'bill_customer', 'accept')"),
        CheckConstraint(
            "(state = 'decided') = (decision IS NOT NULL AND decided_at IS NOT NULL AND decided_by IS NOT NULL"
            " AND reason IS NOT NULL)"
        ),
        Index("vendor_differences_open", "id", postgresql_where=text("state = 'open'")),
        Index("vendor_differences_decided", "reconciliation_id", postgresql_where=text("state = 'decided'")),
    )

    id: UUID = Field(primary_key=True)
    reconciliation_id: UUID = Field(foreign_key="reconciliations.id")
    vendor_invoice_id: UUID = Field(foreign_key="vendor_invoices.id", index=True)
    account_id: UUID | None = Field(index=True)
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
