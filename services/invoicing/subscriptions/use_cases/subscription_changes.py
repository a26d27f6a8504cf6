"""A change of a subscription reaches its term and what was charged of its cycles, to the customer and by the vendor."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.invoicing.catalog.domain.billing_cycles import CycleAnchor
from services.invoicing.catalog.domain.plan_versions import PlanVersion
from services.invoicing.subscriptions.domain.proration import (
    BillingCycle,
    ChargePeriod,
    compute_prorated_charge_differences,
)
from services.invoicing.subscriptions.domain.subscription_history import (
    NEVER,
    ChangeKind,
    SubscriptionChange,
    SubscriptionHistory,
)
from services.invoicing.subscriptions.repository import term_queries
from services.invoicing.subscriptions.repository.term_queries import Charged, NewSubscriptionCharge
from services.invoicing.subscriptions.tables.term_tables import TermRow
from shared.events.invoicing import SubscriptionEnded
from shared.persistence.database import Unit

VENDOR_KINDS = {ChangeKind.CANCEL: "cancelImmediate"}
"""How the vendor calls the lines of a change; of a quantity it says which way."""


def build_subscription_event_fields(term: TermRow) -> dict[str, Any]:
    """A subscription as its events tell it."""
    return {
        "account_id": term.account_id,
        "subscription_id": term.subscription_id,
        "plan_id": term.plan_id,
        "plan_version": term.version,
        "quantity": term.quantity,
        "unit_price_minor": term.unit_price_minor,
        "currency": term.currency,
        "term_start": term.term_start,
        "term_end": term.term_end,
    }


def publish_subscription_ended(unit: Unit, term: TermRow) -> None:
    """Say that nothing is charged from a day on."""
    assert term.ended_on is not None
    unit.publish(SubscriptionEnded(**build_subscription_event_fields(term), ended_on=term.ended_on))


@dataclass(frozen=True, slots=True)
class AppliedSubscriptionChange:
    """A change that was applied to a subscription, on which local date, and its id, to which its charges refer."""

    course: SubscriptionHistory
    """With the change."""
    version: PlanVersion
    change: SubscriptionChange
    id: UUID
    today: date


async def settle_subscription_change(unit: Unit, term: TermRow, applied: AppliedSubscriptionChange) -> None:
    """Bring the term to the state after a change, and settle what was charged otherwise; the account is locked."""
    since = applied.change.effective_on
    done = list(_cycles(term, term.period_months, since, term.next_from))
    done_by_vendor = list(_cycles(term, term.vendor_period_months, since, term.vendor_next_from))
    update_term_from_history(term, applied.version, applied.course, applied.change)
    unit.session.add(term)
    await unit.session.flush()
    await _settle_customer(unit, term, applied, done)
    await _settle_vendor(unit, term, applied, done_by_vendor)


def _cycles(term: TermRow, months: int, since: date, upto: date | None) -> Iterator[BillingCycle]:
    """The cycles of the term's anchor that end after a day and were passed already, charged or, suspended, not."""
    begin, end = CycleAnchor(term.anchor, months, term.from_end).get_cycle_bounds(since)
    while upto is not None and begin < upto:
        yield BillingCycle(begin, end)
        begin, end = CycleAnchor(term.anchor, months, term.from_end).get_cycle_bounds(end)


def update_term_from_history(
    term: TermRow, version: PlanVersion, course: SubscriptionHistory, change: SubscriptionChange
) -> None:
    """Let the row say what the course says after a change."""
    state = course.get_subscription_state_on(max(change.effective_on, course.last_changed_on))
    assert state is not None
    term.quantity = state.quantity
    term.unit_price_minor = state.rate.price
    term.plan_id, term.version = UUID(state.rate.plan), state.rate.version
    term.vendor_unit_cost_minor = state.vendor_rate.price
    term.is_billed = not (state.suspended and version.credits_suspension)
    term.vendor_is_billed = not state.suspended or version.vendor.bills_while_suspended
    term.changed_on = course.last_changed_on
    if course.cancelled_on < NEVER:
        end_subscription_term(term, course.cancelled_on)


def end_subscription_term(term: TermRow, day: date) -> None:
    """Nothing is charged from a day on; what is charged before it may still be due."""
    term.ended_on = day
    if term.next_from is not None and term.next_from >= day:
        term.next_from = term.next_to = term.next_due = None
    if term.vendor_next_from is not None and term.vendor_next_from >= day:
        term.vendor_next_from = term.vendor_next_to = None
    term.wake_at = None


async def _map_charged(
    unit: Unit, term: TermRow, applied: AppliedSubscriptionChange, done: Iterable[BillingCycle], *, by_vendor: bool
) -> Charged:
    """Map every cycle that was passed to what was charged of it, nothing included: it was suspended then."""
    asked = {term.subscription_id: applied.change.effective_on}
    charged: Charged = {cycle: [] for cycle in done}
    return (
        charged
        | (await term_queries.map_charged_subscription_periods(unit, asked, by_vendor=by_vendor))[term.subscription_id]
    )


async def _settle_customer(
    unit: Unit, term: TermRow, applied: AppliedSubscriptionChange, done: Iterable[BillingCycle]
) -> None:
    new = []
    for cycle, lines in (await _map_charged(unit, term, applied, done, by_vendor=False)).items():
        wanted = applied.course.list_customer_billed_periods(
            cycle, credits_suspension=applied.version.credits_suspension
        )
        for stretch in compute_prorated_charge_differences(lines, wanted):
            kind = "reversal" if stretch.is_reversal else "change"
            new.append(NewSubscriptionCharge(term, kind, cycle, stretch, applied.id, applied.today))
    await term_queries.insert_subscription_charges(unit, new)


async def _settle_vendor(
    unit: Unit, term: TermRow, applied: AppliedSubscriptionChange, done: Iterable[BillingCycle]
) -> None:
    new = []
    for cycle, lines in (await _map_charged(unit, term, applied, done, by_vendor=True)).items():
        bills_on = applied.version.vendor.bills_while_suspended
        stretches = compute_prorated_charge_differences(
            lines, applied.course.list_vendor_charged_periods(cycle, bills_while_suspended=bills_on)
        )
        kind = VENDOR_KINDS.get(applied.change.kind) or _direction(stretches)
        new += [NewSubscriptionCharge(term, kind, cycle, stretch, applied.id, applied.today) for stretch in stretches]
    await term_queries.insert_vendor_charges(unit, new)


def _direction(stretches: list[ChargePeriod]) -> str:
    return "addQuantity" if sum(period.quantity for period in stretches) >= 0 else "removeQuantity"
