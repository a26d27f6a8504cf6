"""The rows of the schema `entitlements`; the database checks what must always hold."""

from datetime import date, datetime
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Index, MetaData, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.events.entitlements import HoldReason

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
    __table_args__ = (
        Index("entitlements_of_account", "account_id", "subscription_id"),
        Index("entitlements_to_end", "ends_at", postgresql_where=text("state <> 'ended'")),
        CheckConstraint("state IN ('active', 'suspending', 'suspended', 'ended')"),
        CheckConstraint("state <> 'ended' OR (ended_on IS NOT NULL AND NOT allowed)"),
        CheckConstraint("num_nulls(ended_on, term_end, ends_at) IN (0, 3)"),
        CheckConstraint("(seen_status IS NULL) = (seen_at IS NULL)"),
        CheckConstraint("failure_wanted IN ('active', 'suspended', 'auto_renew_off')"),
        CheckConstraint("num_nulls(failure_wanted, failure_code, failure_detail, failed_at) IN (0, 4)"),
    )

    subscription_id: UUID = Field(primary_key=True)
    account_id: UUID
    vendor_customer_id: str = Field(sa_type=Text)
    vendor_subscription_id: str = Field(sa_type=Text, unique=True)
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
    __table_args__ = (
        Index("holds_of_subscription", "subscription_id"),
        Index("holds_standing", "id", postgresql_where=text("released_at IS NULL")),
        Index("holds_by_reason", "reason", "id"),
        Index("holds_standing_by_reason", "reason", "id", postgresql_where=text("released_at IS NULL")),
        Index("holds_of_account", "account_id", "id"),
        CheckConstraint(f"reason IN {get_args(HoldReason)}"),
        CheckConstraint("(reason = 'non_payment') = (suspension_id IS NOT NULL)"),
        CheckConstraint("released_at >= placed_at"),
        CheckConstraint("ended_at IS NULL OR (effective_at IS NOT NULL AND released_at IS NOT NULL)"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID
    subscription_id: UUID
    reason: str = Field(sa_type=Text)
    owner: str = Field(sa_type=Text)
    comment: str | None = Field(sa_type=Text)
    placed_at: datetime = Field(sa_type=DateTime(timezone=True))
    suspension_id: UUID | None = Field(unique=True)
    invoice_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    released_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    attempted_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    effective_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
