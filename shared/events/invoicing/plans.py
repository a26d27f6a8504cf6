"""Plans and their versions. Amounts are minor units."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.events.base import Event
from shared.events.values import EventValue


class PriceIn(EventValue):
    """The price of a plan in one currency: for one unit and period, and once at the start."""

    currency: str
    unit_price_minor: int
    setup_minor: int


class PlanVersionPublished(Event):
    """A plan has a version that terms beginning on `effective_from` or later have; the subject is the plan."""

    producer: ClassVar[str] = "invoicing"

    plan_id: UUID
    code: str
    plan_version: int
    effective_from: date
    term_months: int
    period_months: int
    prices: tuple[PriceIn, ...]

    def subject(self) -> str:
        """Plan that the event is about."""
        return str(self.plan_id)
