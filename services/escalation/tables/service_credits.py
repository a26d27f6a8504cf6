"""Service credits: what the vendor is asked to give back, and what it and we have credited."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class ServiceCreditTypeRow(Row, table=True):
    """A kind of credit that the vendor gives: how long after what day it takes requests, and what it wants to see.

    The codes are the vendor's: a list of its own beside `dispute_reasons`, and `chargeback_reasons` of invoicing.
    """

    __tablename__ = "service_credit_types"

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
