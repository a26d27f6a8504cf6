"""Rows of terms, their changes and charges, and what the vendor charges for them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Text,
    text,
)
from sqlmodel import Field

from services.invoicing.metadata import Row


class TermRow(Row, table=True):
    """The current term of a subscription, and which cycle is charged next, to the customer and by the vendor.

    All ends are exclusive. `changed_on` is the last day on which something changed: a cycle that contains it is
    charged stretch by stretch, any other one as a whole.
    """

    __tablename__ = "terms"
    __table_args__ = (
        ForeignKeyConstraint(["plan_id", "version"], ["plan_versions.plan_id", "plan_versions.version"]),
        Index("terms_of_account", "account_id"),
        Index("terms_wake", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
        CheckConstraint("quantity > 0"),
        CheckConstraint("term_end > term_start"),
        CheckConstraint("num_nulls(next_from, next_to, next_due) IN (0, 3)"),
        CheckConstraint("num_nulls(vendor_next_from, vendor_next_to) IN (0, 2)"),
        # Bill runs move every row, and touch no index when there is room on its page.
        {"postgresql_with": {"fillfactor": 70}},
    )

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
    __table_args__ = (
        Index("subscription_changes_of", "subscription_id", "effective_on", "id"),
        CheckConstraint("kind IN ('activate', 'quantity', 'plan', 'renew', 'cancel', 'suspend', 'reinstate')"),
        CheckConstraint("state IN ('scheduled', 'applied', 'withdrawn')"),
        CheckConstraint("quantity > 0"),
    )

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


class ChargeRow(Row, table=True):
    """Charge that is to be billed: a period of a cycle, a set-up, usage.

    `invoice_id` is set once it is on a draft, which becomes an invoice of that id or, less than nothing, credit notes
    that name it (`bill_id`). `settled_minor` is what of it credit notes have settled, `lapsed_minor` what of a
    reversal lapsed, since people had credited it before; only the rest is billed.
    """

    __tablename__ = "charges"
    __table_args__ = (
        Index("charges_unbilled", "account_id", postgresql_where=text("invoice_id IS NULL")),
        Index("charges_of_subscription", "subscription_id", "cycle_from"),
        Index("charges_of_invoice", "invoice_id", postgresql_where=text("invoice_id IS NOT NULL")),
        Index("charges_of_difference", "reference", unique=True, postgresql_where=text("kind = 'vendor_difference'")),
        CheckConstraint("kind IN ('cycle', 'reversal', 'change', 'setup', 'usage', 'vendor_difference')"),
        CheckConstraint("quantity <> 0 AND (kind = 'reversal') = (quantity < 0)"),
        CheckConstraint("cycle_to > cycle_from AND period_to > period_from"),
        CheckConstraint("lapsed_minor = 0 OR lapsed_minor BETWEEN amount_minor AND 0"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID
    subscription_id: UUID = Field(foreign_key="subscriptions.id")
    kind: str = Field(sa_type=Text)
    reference: UUID | None
    plan_id: UUID
    version: int
    cycle_from: date
    cycle_to: date
    period_from: date
    period_to: date
    quantity: int
    unit_price_minor: int = Field(sa_type=BigInteger)
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Text)
    due_on: date
    is_deferred: bool
    released_minor: int = Field(sa_type=BigInteger)
    settled_minor: int = Field(sa_type=BigInteger)
    lapsed_minor: int = Field(sa_type=BigInteger)
    invoice_id: UUID | None
    created_at: datetime = Field(sa_type=DateTime(timezone=True))


class VendorChargeRow(Row, table=True):
    """Debt to the vendor for a period of a term, whatever the customer does; never changed."""

    __tablename__ = "vendor_charges"
    __table_args__ = (
        Index("vendor_charges_of_subscription", "subscription_id", "period_from"),
        Index("vendor_charges_of_account", "account_id"),
        CheckConstraint("kind IN ('new', 'renew', 'cycleCharge', 'addQuantity', 'removeQuantity', 'cancelImmediate')"),
        CheckConstraint("period_to > period_from"),
        CheckConstraint("cycle_days > 0"),
        CheckConstraint("quantity <> 0"),
        CheckConstraint("unit_cost_minor >= 0"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID
    subscription_id: UUID = Field(foreign_key="subscriptions.id")
    kind: str = Field(sa_type=Text)
    reference: UUID
    plan_id: UUID
    version: int
    cycle_from: date
    period_from: date
    period_to: date
    cycle_days: int
    quantity: int
    unit_cost_minor: int = Field(sa_type=BigInteger)
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Text)
    charged_on: date
    accrued_at: datetime = Field(sa_type=DateTime(timezone=True))
