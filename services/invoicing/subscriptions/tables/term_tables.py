"""Rows of terms, their changes and charges, and what the vendor charges for them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Text,
)
from sqlmodel import Field

from services.invoicing.metadata import Row


class TermRow(Row, table=True):
    """The current term of a subscription, and which cycle is charged next, to the customer and by the vendor.

    All ends are exclusive. `changed_on` is the last day on which something changed: a cycle that contains it is
    charged stretch by stretch, any other one as a whole.
    """

    __tablename__ = "terms"

    subscription_id: UUID = Field(primary_key=True, foreign_key="subscriptions.id")
    account_id: UUID = Field(foreign_key="accounts.id")
    plan_id: UUID
    version: int
    currency: str = Field(sa_type=Text)
    quantity: int
    unit_price_minor: int = Field(sa_type=BigInteger)
    anchor: date
    from_end: bool
    term_months: int
    period_months: int
    timing: str = Field(sa_type=Text)
    term_start: date
    term_end: date
    is_billed: bool
    changed_on: date
    next_from: date | None
    next_to: date | None
    next_due: date | None
    vendor_unit_cost_minor: int = Field(sa_type=BigInteger)
    vendor_currency: str = Field(sa_type=Text)
    vendor_period_months: int
    vendor_is_billed: bool
    vendor_next_from: date | None
    vendor_next_to: date | None
    wake_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_on: date | None


class SubscriptionChangeRow(Row, table=True):
    """A change of a subscription: scheduled for the next renewal, applied, or withdrawn before that."""

    __tablename__ = "subscription_changes"

    id: UUID = Field(primary_key=True)
    subscription_id: UUID = Field(foreign_key="subscriptions.id")
    account_id: UUID
    kind: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    effective_on: date
    quantity: int | None
    plan_id: UUID | None
    version: int | None
    unit_price_minor: int | None = Field(sa_type=BigInteger)
    vendor_unit_cost_minor: int | None = Field(sa_type=BigInteger)
    actor: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=DateTime(timezone=True))
    decided_at: datetime | None = Field(sa_type=DateTime(timezone=True))
