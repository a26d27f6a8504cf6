"""Service credits: what the vendor is asked to give back, and what it and we have credited."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class ServiceCreditTypeRow(Row, table=True):
    """A kind of credit that the vendor gives: how long after what day it takes requests, and what it wants to see."""

    __tablename__ = "service_credit_types"
    __table_args__ = (
        CheckConstraint("days BETWEEN 1 AND 3660"),
        CheckConstraint("months BETWEEN 1 AND 120"),
        CheckConstraint("num_nonnulls(days, months) <= 1"),
    )

    code: str = Field(primary_key=True, sa_type=Text)
    title: str = Field(sa_type=Text)
    counts_from: str = Field(sa_type=Text)
    days: int | None
    months: int | None
    evidence: list[str] = Field(sa_type=ARRAY(Text))
    is_active: bool


class ServiceCreditRow(Row, table=True):
    """A credit that the vendor is asked for on behalf of a customer; amounts in minor units, without tax."""

    __tablename__ = "service_credits"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'requested', 'granted', 'refused', 'lapsed', 'withdrawn')"),
        CheckConstraint("num_nulls(granted_minor, granted_at) IN (0, 2)"),
        CheckConstraint("(state = 'granted') = (granted_at IS NOT NULL)"),
        CheckConstraint("num_nulls(credit_note_id, credit_note_number, credited_minor) IN (0, 3)"),
        Index("service_credits_of_account", "account_id", "id"),
        Index("service_credits_of_case", "case_id"),
        Index("service_credits_by_last_day", "last_day", "id", postgresql_where=text("state = 'draft'")),
        Index("service_credits_due", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
        Index(
            "service_credits_not_passed_on",
            "granted_at",
            postgresql_where=text("state = 'granted' AND credit_note_id IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id")
    account_id: UUID
    type_code: str = Field(sa_type=Text, foreign_key="service_credit_types.code")
    subscription_id: UUID | None
    counts_since: date
    last_day: date | None
    currency: str = Field(sa_type=Text)
    expected_minor: int = Field(sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    evidence: dict[str, Any] = Field(sa_type=JSONB)
    opened_by: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=DateTime(timezone=True))
    vendor_reference: str | None = Field(sa_type=Text)
    requested_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    granted_minor: int | None = Field(sa_type=BigInteger)
    granted_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_reason: str | None = Field(sa_type=Text)
    credit_note_id: UUID | None
    credit_note_number: str | None = Field(sa_type=Text)
    credited_minor: int | None = Field(sa_type=BigInteger)
    warned_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    wake_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class VendorCreditRow(Row, table=True):
    """A credit on a vendor's invoice, without tax; matched with the request that it answers."""

    __tablename__ = "vendor_credits"
    __table_args__ = (
        CheckConstraint("amount_minor > 0"),
        CheckConstraint("num_nulls(set_aside_by, set_aside_at, set_aside_reason) IN (0, 3)"),
        Index("vendor_credits_of_invoice", "vendor_invoice_id"),
        Index(
            "vendor_credits_unmatched",
            "difference_id",
            postgresql_where=text("service_credit_id IS NULL AND set_aside_at IS NULL"),
        ),
        Index("vendor_credits_of_request", "service_credit_id"),
    )

    difference_id: UUID = Field(primary_key=True)
    vendor_invoice_id: UUID
    reconciliation_id: UUID
    vendor_customer_id: str | None = Field(sa_type=Text)
    vendor_subscription_id: str | None = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=BigInteger)
    received_at: datetime = Field(sa_type=DateTime(timezone=True))
    service_credit_id: UUID | None = Field(foreign_key="service_credits.id")
    set_aside_by: str | None = Field(sa_type=Text)
    set_aside_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    set_aside_reason: str | None = Field(sa_type=Text)
