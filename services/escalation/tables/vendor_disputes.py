"""Vendor disputes. Reasons of people stay here; nothing personal goes onto topics."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class VendorDisputeRow(Row, table=True):
    """A part of a vendor invoice that we contest; amounts in minor units, with tax."""

    __tablename__ = "vendor_disputes"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id")
    dispute_id: UUID | None = Field(foreign_key="disputes.id")
    vendor_invoice_id: UUID
    vendor_invoice_number: str = Field(sa_type=Text)
    legal_entity: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    items: list[dict[str, Any]] = Field(sa_type=JSONB)
    contested_minor: int = Field(sa_type=BigInteger)
    reason_code: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    vendor_reference: str | None = Field(sa_type=Text)
    ticket_id: UUID | None = Field(foreign_key="vendor_tickets.id")
    deadline: date | None
    warn_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    state: str = Field(sa_type=Text)
    opened_by: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=DateTime(timezone=True))
    accepted_minor: int | None = Field(sa_type=BigInteger)
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_by: str | None = Field(sa_type=Text)
    ended_reason: str | None = Field(sa_type=Text)
