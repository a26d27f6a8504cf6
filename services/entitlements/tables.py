"""The rows of the schema `entitlements`; the database checks what must always hold."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

METADATA = MetaData(schema="entitlements")


class Row(SQLModel, registry=registry(metadata=METADATA)):
    """A row of this schema."""

    metadata = METADATA


class AccountRow(Row, table=True):
    """The time zone of an account, as invoicing announced it."""

    __tablename__ = "accounts"

    account_id: UUID = Field(primary_key=True)
    time_zone: str = Field(sa_type=Text)


class EntitlementRow(Row, table=True):
    """Access to one subscription, and what the vendor was last seen to have."""

    __tablename__ = "entitlements"

    subscription_id: UUID = Field(primary_key=True)
    account_id: UUID
    vendor_customer_id: str = Field(sa_type=Text)
    vendor_subscription_id: str = Field(sa_type=Text)
    bills_while_suspended: bool
    granted_at: datetime = Field(sa_type=DateTime(timezone=True))
    state: str = Field(sa_type=Text)
    allowed: bool
    since: datetime = Field(sa_type=DateTime(timezone=True))
    snapshot: dict[str, Any] | None = Field(sa_type=JSONB(none_as_null=True))
    seen_status: str | None = Field(sa_type=Text)
    seen_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    failure_wanted: str | None = Field(sa_type=Text)
    failure_code: str | None = Field(sa_type=Text)
    failure_detail: str | None = Field(sa_type=Text)
    failed_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    waiting_for: str | None = Field(sa_type=Text)
    ended_on: date | None
    term_end: date | None
    ends_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    renewal_off_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class HoldRow(Row, table=True):
    """A hold on a subscription; its entitlement may be heard of later than the hold."""

    __tablename__ = "holds"

    id: UUID = Field(primary_key=True)
    account_id: UUID
    subscription_id: UUID
    reason: str = Field(sa_type=Text)
    owner: str = Field(sa_type=Text)
    comment: str | None = Field(sa_type=Text)
    placed_at: datetime = Field(sa_type=DateTime(timezone=True))
    suspension_id: UUID | None
    invoice_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    released_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    attempted_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    effective_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
