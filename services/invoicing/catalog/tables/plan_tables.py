"""Plans and their versions; the terms, changes and charges of subscriptions."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field

from services.invoicing.metadata import Row


class PlanRow(Row, table=True):
    """Plan that is sold."""

    __tablename__ = "plans"

    id: UUID = Field(primary_key=True)
    code: str = Field(sa_type=Text, unique=True)
    name: str = Field(sa_type=Text)
    tax_class: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))


class PlanVersionRow(Row, table=True):
    """Terms of a plan from a date on, for terms that begin then; never changed. Lengths are months."""

    __tablename__ = "plan_versions"
    __table_args__ = (
        UniqueConstraint("plan_id", "effective_from"),
        CheckConstraint(
            "period_months IN (1, 12) AND term_months IN (1, 12, 36) AND vendor_period_months IN (1, 12, 36)"
        ),
        CheckConstraint("period_months <= term_months AND vendor_period_months <= term_months"),
        CheckConstraint("timing IN ('advance', 'arrears')"),
        CheckConstraint("while_suspended IN ('credit', 'bill')"),
        CheckConstraint("least(vendor_unit_cost_minor, cancellation_days, usage_markup_bp) >= 0"),
    )

    plan_id: UUID = Field(primary_key=True, foreign_key="plans.id")
    version: int = Field(primary_key=True)
    effective_from: date
    term_months: int
    period_months: int
    timing: str = Field(sa_type=Text)
    while_suspended: str = Field(sa_type=Text)
    usage_markup_bp: int
    cancellation_days: int
    vendor_unit_cost_minor: int = Field(sa_type=BigInteger)
    vendor_currency: str = Field(sa_type=Text)
    vendor_period_months: int
    vendor_bills_while_suspended: bool
    published_at: datetime = Field(sa_type=DateTime(timezone=True))


class PlanPriceRow(Row, table=True):
    """The price of a version in one currency: for one unit and period, and once at the start."""

    __tablename__ = "plan_prices"
    __table_args__ = (
        ForeignKeyConstraint(["plan_id", "version"], ["plan_versions.plan_id", "plan_versions.version"]),
        CheckConstraint("least(unit_price_minor, setup_minor) >= 0"),
    )

    plan_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    currency: str = Field(primary_key=True, sa_type=Text)
    unit_price_minor: int = Field(sa_type=BigInteger)
    setup_minor: int = Field(sa_type=BigInteger)
