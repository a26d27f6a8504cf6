"""Terms end and begin anew; the vendor charges its cycles. Both fall due at local midnights."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.invoicing.catalog.domain.billing_cycles import CycleAnchor, build_cycle_anchor
from services.invoicing.catalog.domain.plan_versions import PlanVersion, get_plan_version_on
from services.invoicing.catalog.repository import plan_queries
from services.invoicing.settings.domain.approval_states import check_state_move
from services.invoicing.subscriptions.domain.change_states import CHANGE_ALLOWED, SubscriptionChangeState
from services.invoicing.subscriptions.domain.subscription_history import ChangeKind, SubscriptionHistory
from services.invoicing.subscriptions.repository import renewal_queries, term_queries
from services.invoicing.subscriptions.tables.term_tables import SubscriptionChangeRow, TermRow
from services.invoicing.subscriptions.use_cases import cycle_charges, subscription_changes
from services.invoicing.subscriptions.use_cases.cycle_charges import (
    accrue_vendor_cycles_until,
    charge_billing_cycles_until,
)
from shared.events.invoicing import SubscriptionChanged, SubscriptionRenewed
from shared.persistence.database import Unit
from shared.pure.ids import new_id


async def renew_due_terms(unit: Unit, account_ids: list[str]) -> None:
    """Renew the terms of these accounts that have ended by their local date, and accrue what the vendor charges."""
    ids = [UUID(id_) for id_ in account_ids]
    await renew_ended_terms(unit, ids)
    await renewal_queries.schedule_next_term_check(unit, ids)


async def renew_ended_terms(unit: Unit, account_ids: list[UUID]) -> None:
    """Begin the next term of every subscription whose term has ended: as it was, or with what was scheduled.

    What the vendor charges for cycles that have begun is accrued, too.
    """
    while await renewal_queries.is_subscription_renewal_due(unit, account_ids):
        await accrue_vendor_charges(unit, account_ids)  # the old term's cycles first, by its own plan
        plain = await renewal_queries.renew_unchanged_terms(unit, account_ids)
        for term in plain:
            unit.publish(SubscriptionRenewed(**term))
        others = await renewal_queries.list_terms_to_renew(unit, account_ids)
        if others:
            await _renew_changed(unit, others)
        if not plain and not others:
            return


async def accrue_vendor_charges(unit: Unit, account_ids: list[UUID]) -> None:
    """Accrue what the vendor charges for cycles that have begun, whatever the customer does."""
    while await renewal_queries.accrue_whole_vendor_cycles(unit, account_ids):
        pass
    changed = await renewal_queries.list_terms_to_accrue(unit, account_ids)
    terms = await term_queries.list_term_rows(unit, changed)
    courses = await term_queries.map_subscription_histories(unit, changed)
    versions = await cycle_charges.map_terms_plan_versions(unit, terms)
    new = []
    for term in terms:
        version, day = versions[term.plan_id, term.version], changed[term.subscription_id]
        new += accrue_vendor_cycles_until(term, courses[term.subscription_id], version, day)
        unit.session.add(term)
    await unit.session.flush()
    await term_queries.insert_vendor_charges(unit, new)


async def _renew_changed(unit: Unit, subscription_ids: list[UUID]) -> None:
    terms = await term_queries.list_term_rows(unit, subscription_ids)
    courses = await term_queries.map_subscription_histories(unit, subscription_ids)
    wanted = await term_queries.map_scheduled_changes(unit, subscription_ids)
    named = {change.plan_id for rows in wanted.values() for change in rows if change.plan_id is not None}
    versions = await plan_queries.map_plan_versions(unit, named | {term.plan_id for term in terms})
    await _charge_the_rest(unit, terms, courses, versions)
    for term in terms:
        course, rows = courses[term.subscription_id], wanted[term.subscription_id]
        for row in rows:
            row.state = check_state_move(
                CHANGE_ALLOWED, SubscriptionChangeState(row.state), SubscriptionChangeState.APPLIED
            )
            row.decided_at = unit.now
        if any(row.kind == ChangeKind.CANCEL for row in rows):
            subscription_changes.end_subscription_term(term, term.term_end)
            subscription_changes.publish_subscription_ended(unit, term)
        else:
            _begin(unit, term, course, _next_version(term, versions, rows), rows)
        unit.session.add_all([term, *rows])
    await unit.session.flush()


async def _charge_the_rest(
    unit: Unit,
    terms: Sequence[TermRow],
    courses: dict[UUID, SubscriptionHistory],
    versions: dict[UUID, list[PlanVersion]],
) -> None:
    """Charge what the old terms still have to be charged, by their own plans and cycles, before they are others."""
    charges, accruals = [], []
    for term in terms:
        former = next(version for version in versions[term.plan_id] if version.number == term.version)
        course = courses[term.subscription_id]
        charges += charge_billing_cycles_until(term, course, former, term.term_end)
        accruals += accrue_vendor_cycles_until(term, course, former, term.term_end)
    await term_queries.insert_subscription_charges(unit, charges)
    await term_queries.insert_vendor_charges(unit, accruals)


def _next_version(
    term: TermRow, versions: dict[UUID, list[PlanVersion]], wanted: list[SubscriptionChangeRow]
) -> PlanVersion:
    """The version that is in force when the next term begins; one without a price in the currency offers nothing."""
    plan_id = next((row.plan_id for row in wanted if row.plan_id is not None), term.plan_id)
    return get_plan_version_on(
        [version for version in versions[plan_id] if term.currency in version.prices], term.term_end
    )


def _begin(
    unit: Unit, term: TermRow, course: SubscriptionHistory, version: PlanVersion, wanted: list[SubscriptionChangeRow]
) -> None:
    """Let the next term begin: the quantity as it was or is wanted, the prices as the version says."""
    term.quantity = next((row.quantity for row in wanted if row.quantity is not None), term.quantity)
    priced = next((row for row in wanted if row.kind == ChangeKind.PLAN), None)
    if priced is None and version.number != term.version:
        priced = _renewal(unit, term)
        wanted.append(priced)
    if priced is not None:
        priced.plan_id, priced.version = version.plan_id, version.number
        priced.unit_price_minor = version.get_plan_price(term.currency).unit
        priced.vendor_unit_cost_minor = version.vendor.unit
    state = course.get_subscription_state_on(term.term_end)
    _carry(term, version, suspended=state is not None and state.suspended)
    unit.publish(
        SubscriptionChanged(
            **subscription_changes.build_subscription_event_fields(term),
            change_id=wanted[0].id,
            kind=ChangeKind.RENEW,
            effective_on=term.term_start,
        )
    )


def _renewal(unit: Unit, term: TermRow) -> SubscriptionChangeRow:
    return SubscriptionChangeRow(
        id=new_id(),
        subscription_id=term.subscription_id,
        account_id=term.account_id,
        kind=ChangeKind.RENEW,
        state="applied",
        effective_on=term.term_end,
        quantity=None,
        plan_id=None,
        version=None,
        unit_price_minor=None,
        vendor_unit_cost_minor=None,
        actor=None,
        reason=None,
        requested_at=unit.now,
        decided_at=unit.now,
    )


def _carry(term: TermRow, version: PlanVersion, *, suspended: bool) -> None:
    """Carry the row over to the next term. Its cycles count from the old anchor unless their lengths are others."""
    begins = term.term_end
    lengths = (version.term, version.period, version.vendor.period)
    if lengths != (term.term_months, term.period_months, term.vendor_period_months):
        anew = build_cycle_anchor(begins, term=version.term, period=version.period)
        term.anchor, term.from_end = anew.day, anew.from_end
        term.term_months, term.period_months, term.vendor_period_months = lengths
    term.plan_id, term.version = version.plan_id, version.number
    term.unit_price_minor = version.get_plan_price(term.currency).unit
    term.vendor_unit_cost_minor, term.vendor_currency = version.vendor.unit, version.vendor.currency
    term.timing = "advance" if version.in_advance else "arrears"
    term.is_billed = not (suspended and version.credits_suspension)
    term.vendor_is_billed = not suspended or version.vendor.bills_while_suspended
    term.term_start, term.changed_on = begins, begins
    term.term_end = _after(term, term.term_months, begins)
    term.next_from, term.next_to = begins, _after(term, term.period_months, begins)
    term.next_due = begins if version.in_advance else term.next_to
    term.vendor_next_from, term.vendor_next_to = begins, _after(term, term.vendor_period_months, begins)


def _after(term: TermRow, months: int, day: date) -> date:
    """The boundary that follows one, by cycles of so many months."""
    return CycleAnchor(term.anchor, months, term.from_end).get_next_cycle_boundary(day)
