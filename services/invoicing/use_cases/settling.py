"""A change of a subscription reaches its term and what was charged of its cycles, to the customer and by the vendor."""

from datetime import date
from typing import Any
from uuid import UUID

from services.invoicing.domain.course import NEVER, Change, Course, Kind
from services.invoicing.domain.plan import Version
from services.invoicing.domain.proration import Stretch, settled
from services.invoicing.repository import terms as repository
from services.invoicing.repository.terms import NewCharge
from services.invoicing.tables import TermRow
from shared.database import Unit
from shared.events.invoicing import SubscriptionEnded

VENDOR_KINDS = {Kind.CANCEL: "cancelImmediate"}
"""How the vendor calls the lines of a change; of a quantity it says which way."""


def as_told(term: TermRow) -> dict[str, Any]:
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


def announce_ended(unit: Unit, term: TermRow) -> None:
    """Say that nothing is charged from a day on."""
    assert term.ended_on is not None
    unit.publish(SubscriptionEnded(**as_told(term), ended_on=term.ended_on))


async def apply(
    unit: Unit, term: TermRow, version: Version, course: Course, change: Change, reference: UUID, today: date
) -> None:
    """Bring the term to the state after a change, and settle what was charged otherwise; the account is locked."""
    follow(term, version, course, change)
    unit.session.add(term)
    await unit.session.flush()
    await _settle_customer(unit, term, version, course, change.effective_on, reference, today)
    await _settle_vendor(unit, term, version, course, change, reference, today)


def follow(term: TermRow, version: Version, course: Course, change: Change) -> None:
    """Let the row say what the course says after a change."""
    state = course.on(max(change.effective_on, course.changed_on))
    assert state is not None
    term.quantity = state.quantity
    term.unit_price_minor = state.rate.price
    term.plan_id, term.version = UUID(state.rate.plan), state.rate.version
    term.vendor_unit_cost_minor = state.vendor_rate.price
    term.is_billed = not (state.suspended and version.credits_suspension)
    term.vendor_is_billed = not state.suspended or version.vendor.bills_while_suspended
    term.changed_on = course.changed_on
    if course.end < NEVER:
        end(term, course.end)


def end(term: TermRow, day: date) -> None:
    """Nothing is charged from a day on; what is charged before it may still be due."""
    term.ended_on = day
    if term.next_from is not None and term.next_from >= day:
        term.next_from = term.next_to = term.next_due = None
    if term.vendor_next_from is not None and term.vendor_next_from >= day:
        term.vendor_next_from = term.vendor_next_to = None
    term.wake_at = None


async def _settle_customer(
    unit: Unit, term: TermRow, version: Version, course: Course, since: date, reference: UUID, today: date
) -> None:
    new = []
    charged = (await repository.charged(unit, {term.subscription_id: since}))[term.subscription_id]
    for cycle, lines in charged.items():
        wanted = course.billed(cycle, credits_suspension=version.credits_suspension)
        for stretch in settled(lines, wanted):
            kind = "reversal" if stretch.is_reversal else "change"
            new.append(NewCharge(term, kind, cycle, stretch, reference, today))
    await repository.add_charges(unit, new)


async def _settle_vendor(
    unit: Unit, term: TermRow, version: Version, course: Course, change: Change, reference: UUID, today: date
) -> None:
    new = []
    asked = {term.subscription_id: change.effective_on}
    charged = (await repository.charged(unit, asked, by_vendor=True))[term.subscription_id]
    for cycle, lines in charged.items():
        wanted = course.owed(cycle, bills_while_suspended=version.vendor.bills_while_suspended)
        stretches = settled(lines, wanted)
        kind = VENDOR_KINDS.get(change.kind) or _direction(stretches)
        new += [NewCharge(term, kind, cycle, stretch, reference, today) for stretch in stretches]
    await repository.add_vendor_charges(unit, new)


def _direction(stretches: list[Stretch]) -> str:
    return "addQuantity" if sum(one.quantity for one in stretches) >= 0 else "removeQuantity"
