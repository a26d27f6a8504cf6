"""Versions of plans: which one a new term has, and what a version must not say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from shared.pure.errors import Refusal


class PlanRefused(Refusal):
    """The version contradicts itself, or begins before the one that it follows."""

    code = "plan_refused"
    status = 422


class NotOffered(Refusal):
    """No version of the plan is in force on that day, or it has no price in that currency."""

    code = "not_offered"


@dataclass(frozen=True, slots=True)
class PlanPrice:
    """In minor units: for one unit and period, and once at the start of a subscription."""

    unit: int
    setup: int = 0


@dataclass(frozen=True, slots=True)
class VendorCost:
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
    vendor: VendorCost
    prices: Mapping[str, PlanPrice]

    def price(self, currency: str) -> PlanPrice:
        """The price in a currency. Raises NotOffered."""
        if currency not in self.prices:
            raise NotOffered(f"version {self.number} of the plan has no price in {currency}")
        return self.prices[currency]


def check_version(version: PlanVersion, former: Iterable[PlanVersion]) -> None:
    """A version that may be published after the former ones. Raises PlanRefused."""
    if version.period > version.term:
        raise PlanRefused("period_months: a billing period is not longer than the term")
    if version.vendor.period > version.term:
        raise PlanRefused("vendor.period_months: the vendor's billing period is not longer than the term")
    latest = max((former_version.effective_from for former_version in former), default=None)
    if latest is not None and version.effective_from <= latest:
        raise PlanRefused(f"effective_from: the version before applies from {latest}; this one must begin later")


def get_version_in_force(versions: Iterable[PlanVersion], day: date) -> PlanVersion:
    """The version that a term beginning on this day has. Raises NotOffered."""
    begun = [version for version in versions if version.effective_from <= day]
    if not begun:
        raise NotOffered(f"the plan is not offered on {day}")
    return max(begun, key=lambda version: version.effective_from)
