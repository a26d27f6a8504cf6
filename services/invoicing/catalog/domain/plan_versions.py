"""Versions of plans: which one a new term has, and what a version must not say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from shared.pure.errors import Refusal


class PlanVersionRefused(Refusal):
    """The version contradicts itself, or begins before the one that it follows."""

    code = "plan_refused"
    status = 422


class PlanNotOffered(Refusal):
    """No version of the plan is in force on that day, or it has no price in that currency."""

    code = "not_offered"


@dataclass(frozen=True, slots=True)
class PlanPrice:
    """In minor units: for one unit and period, and once at the start of a subscription."""

    unit: int
    setup: int = 0


@dataclass(frozen=True, slots=True)
class PlanVendorCost:
    """Cost of one unit at the vendor for each of the vendor's own periods (months)."""

    unit: int
    currency: str
    period: int
    bills_while_suspended: bool


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """A version of a plan; lengths in months. It applies to terms that begin on its day or later."""

    plan_id: UUID
    number: int
    effective_from: date
    term: int
    period: int
    in_advance: bool
    credits_suspension: bool
    cancellation_days: int
    usage_markup_bp: int
    vendor: PlanVendorCost
    prices: Mapping[str, PlanPrice]

    def get_plan_price(self, currency: str) -> PlanPrice:
        """The price in a currency. Raises PlanNotOffered."""
        if currency not in self.prices:
            raise PlanNotOffered(f"version {self.number} of the plan has no price in {currency}")
        return self.prices[currency]


def check_plan_version(version: PlanVersion, former: Iterable[PlanVersion]) -> None:
    """A version that may be published after the former ones. Raises PlanVersionRefused."""
    if version.period > version.term:
        raise PlanVersionRefused("period_months: a billing period is not longer than the term")
    if version.vendor.period > version.term:
        raise PlanVersionRefused("vendor.period_months: the vendor's billing period is not longer than the term")
    latest = max((former_version.effective_from for former_version in former), default=None)
    if latest is not None and version.effective_from <= latest:
        raise PlanVersionRefused(f"effective_from: the version before applies from {latest}; this one must begin later")


def get_plan_version_on(versions: Iterable[PlanVersion], day: date) -> PlanVersion:
    """The version that a term beginning on this day has. Raises PlanNotOffered."""
    begun = [version for version in versions if version.effective_from <= day]
    if not begun:
        raise PlanNotOffered(f"the plan is not offered on {day}")
    return max(begun, key=lambda version: version.effective_from)
