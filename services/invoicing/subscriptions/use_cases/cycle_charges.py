"""Cycles that are charged stretch by stretch: those in which something changed, and those before a new plan begins.

All other cycles are charged as a whole, many at once (`billing/repository/bill_chunk.py`). Both make the
same charges.
"""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from services.invoicing.catalog.domain.billing_cycles import CycleAnchor
from services.invoicing.catalog.domain.plan_versions import PlanVersion
from services.invoicing.catalog.repository import plan_queries
from services.invoicing.subscriptions.domain.proration import BillingCycle, compute_prorated_charge_differences
from services.invoicing.subscriptions.domain.subscription_history import SubscriptionHistory
from services.invoicing.subscriptions.repository import term_queries
from services.invoicing.subscriptions.repository.term_queries import NewSubscriptionCharge
from services.invoicing.subscriptions.tables.term_tables import TermRow
from shared.persistence.database import Unit


async def charge_changed_billing_cycles(unit: Unit, subscription_ids: Iterable[UUID], day: date) -> None:
    """Charge what is due by a day of these subscriptions, in whose cycles something changed."""
    terms = await term_queries.list_term_rows(unit, subscription_ids)
    courses = await term_queries.map_subscription_histories(unit, [term.subscription_id for term in terms])
    versions = await map_terms_plan_versions(unit, terms)
    new = []
    for term in terms:
        version = versions[term.plan_id, term.version]
        new += charge_billing_cycles_until(term, courses[term.subscription_id], version, day)
        unit.session.add(term)
    await unit.session.flush()
    await term_queries.insert_subscription_charges(unit, new)


async def map_terms_plan_versions(unit: Unit, terms: Iterable[TermRow]) -> dict[tuple[UUID, int], PlanVersion]:
    """The versions of these terms' plans, by plan and number."""
    versions_by_plan = await plan_queries.map_plan_versions(unit, {term.plan_id for term in terms})
    return {
        (version.plan_id, version.number): version for versions in versions_by_plan.values() for version in versions
    }


def charge_billing_cycles_until(
    term: TermRow, course: SubscriptionHistory, version: PlanVersion, day: date
) -> list[NewSubscriptionCharge]:
    """Charge the cycles of the current term that are due by a day; the term goes on to the next one."""
    new: list[NewSubscriptionCharge] = []
    while term.next_from is not None and term.next_due <= day and term.next_from < term.term_end:  # type: ignore[operator]
        assert term.next_to is not None
        assert term.next_due is not None
        cycle = BillingCycle(term.next_from, term.next_to)
        wanted = course.list_customer_billed_periods(cycle, credits_suspension=version.credits_suspension)
        new += [
            NewSubscriptionCharge(term, "cycle", cycle, difference, None, term.next_due)
            for difference in compute_prorated_charge_differences([], wanted)
        ]
        _go_on(term)
    return new


def _go_on(term: TermRow) -> None:
    assert term.next_to is not None
    anchor = CycleAnchor(term.anchor, term.period_months, term.from_end)
    begin, end = anchor.get_cycle_bounds(term.next_to)
    term.next_from, term.next_to = begin, end
    term.next_due = begin if term.timing == "advance" else end
    if term.ended_on is not None and begin >= term.ended_on:
        term.next_from = term.next_to = term.next_due = None


def accrue_vendor_cycles_until(
    term: TermRow, course: SubscriptionHistory, version: PlanVersion, day: date
) -> list[NewSubscriptionCharge]:
    """Accrue what the vendor charges for its cycles of the current term that have begun by a day."""
    new: list[NewSubscriptionCharge] = []
    while term.vendor_next_from is not None and term.vendor_next_from <= day and term.vendor_next_from < term.term_end:
        assert term.vendor_next_to is not None
        cycle = BillingCycle(term.vendor_next_from, term.vendor_next_to)
        owed = course.list_vendor_charged_periods(cycle, bills_while_suspended=version.vendor.bills_while_suspended)
        kind = _vendor_kind(term, course, cycle)
        new += [
            NewSubscriptionCharge(term, kind, cycle, difference, None, max(cycle.begin, difference.begin))
            for difference in compute_prorated_charge_differences([], owed)
        ]
        begin, end = CycleAnchor(term.anchor, term.vendor_period_months, term.from_end).get_cycle_bounds(cycle.end)
        ended = term.ended_on is not None and begin >= term.ended_on
        term.vendor_next_from, term.vendor_next_to = (None, None) if ended else (begin, end)
    return new


def _vendor_kind(term: TermRow, course: SubscriptionHistory, cycle: BillingCycle) -> str:
    """How the vendor calls the line of a cycle: the first of all, the first of a later term, or another one."""
    begun = course.activated_on
    if cycle.begin <= begun < cycle.end:
        return "new"
    return "renew" if cycle.begin == term.term_start else "cycleCharge"
