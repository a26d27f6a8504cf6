"""One account with the facts that a decision about it needs, all loaded at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from services.collections.domain.dunning_item import ItemFacts
from services.collections.domain.suspension import SuspensionState
from services.collections.domain.suspension_record import SuspensionRecord
from shared.events.collections import WaitsFor


class OpenDunningCase(NamedTuple):
    """The open dunning case of an account."""

    id: UUID
    stage: str | None
    """The furthest step of it."""
    oldest_due_date: date | None
    """Due date of its oldest overdue invoice, as it was last saved."""


class AnnouncedDeferral(NamedTuple):
    """The step of an invoice that waits, and what for, as it was last said."""

    step: str
    cause: str
    until: datetime | None
    waits_for: WaitsFor


@dataclass(frozen=True, slots=True)
class DunningAccount:
    """Everything about one account that a decision needs."""

    account_id: UUID
    zone: ZoneInfo
    items: tuple[ItemFacts, ...] = ()
    suspensions: tuple[SuspensionRecord, ...] = ()
    """Those that are requested or effective, by id."""
    case: OpenDunningCase | None = None
    deferrals: Mapping[UUID, AnnouncedDeferral] = field(default_factory=dict)
    """By invoice."""

    @property
    def items_by_invoice(self) -> dict[UUID, ItemFacts]:
        """Its items, by the id of their invoice."""
        return {item.invoice_id: item for item in self.items}

    @property
    def suspended_subscriptions(self) -> frozenset[UUID]:
        """The subscriptions whose access has ended."""
        return frozenset(
            suspension.subscription_id
            for suspension in self.suspensions
            if suspension.state is SuspensionState.EFFECTIVE
        )

    @property
    def invoices_of_requests(self) -> frozenset[UUID]:
        """The invoices that cause a suspension which is requested and not effective yet."""
        return frozenset(
            invoice_id
            for suspension in self.suspensions
            if suspension.state is SuspensionState.REQUESTED
            for invoice_id in suspension.causes
        )

    def find_suspension(self, suspension_id: UUID) -> SuspensionRecord | None:
        """Find a suspension that is requested or effective."""
        return next((suspension for suspension in self.suspensions if suspension.id == suspension_id), None)

    def replace_items(self, rebuild: Callable[[ItemFacts], ItemFacts]) -> "DunningAccount":
        """Build the same account with each item rebuilt."""
        return replace(self, items=tuple(map(rebuild, self.items)))

    def replace_suspension(self, suspension: SuspensionRecord) -> "DunningAccount":
        """Build the same account with another record of a suspension, or one more."""
        others = (record for record in self.suspensions if record.id != suspension.id)
        return replace(self, suspensions=tuple(sorted([*others, suspension], key=lambda record: record.id)))

    def remove_suspension(self, suspension_id: UUID) -> "DunningAccount":
        """Build the same account without a suspension."""
        others = (record for record in self.suspensions if record.id != suspension_id)
        return replace(self, suspensions=tuple(others))
