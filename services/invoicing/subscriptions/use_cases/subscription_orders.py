"""Subscriptions of a plan: they begin, change now or at renewal, are cancelled."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.tables.account_tables import AccountRow
from services.invoicing.catalog.domain import billing_cycles
from services.invoicing.catalog.domain.billing_cycles import CycleAnchor
from services.invoicing.catalog.domain.plan_versions import PlanVersion, get_plan_version_on
from services.invoicing.catalog.repository import plan_queries
from services.invoicing.settings.domain.approval_states import check_state_move
from services.invoicing.subscriptions.domain import subscription_history
from services.invoicing.subscriptions.domain.change_states import CHANGE_ALLOWED, SubscriptionChangeState
from services.invoicing.subscriptions.domain.proration import BillingCycle, ChargePeriod, SubscriptionUnitRate
from services.invoicing.subscriptions.domain.subscription_history import (
    ChangeKind,
    SubscriptionChange,
    SubscriptionChangeRefused,
    SubscriptionHistory,
)
from services.invoicing.subscriptions.repository import term_queries
from services.invoicing.subscriptions.repository.term_queries import NewSubscriptionCharge
from services.invoicing.subscriptions.tables.subscription_tables import SubscriptionRow
from services.invoicing.subscriptions.tables.term_tables import SubscriptionChangeRow, TermRow
from services.invoicing.subscriptions.use_cases import subscription_changes
from services.invoicing.subscriptions.use_cases.subscription_activation import NewSubscription, activate_subscription
from services.invoicing.subscriptions.use_cases.subscription_changes import AppliedSubscriptionChange
from shared.events.invoicing import SubscriptionChanged
from shared.persistence import audit
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date
from shared.pure.errors import NotFound
from shared.pure.ids import new_id
from shared.pure.money import MAX_MINOR


@dataclass(frozen=True, slots=True)
class SubscriptionPurchase:
    """A subscription of a plan that was bought. With `co_terminate_with` its term ends when that one's does."""

    account_id: UUID
    plan_id: UUID
    quantity: int
    start: date
    auto_renew: bool
    co_terminate_with: UUID | None
    vendor_customer_id: str
    vendor_subscription_id: str


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """A change that somebody wants, now or at renewal."""

    kind: ChangeKind
    at_renewal: bool
    quantity: int | None
    plan_id: UUID | None
    actor: str
    reason: str


async def purchase_subscription(unit: Unit, new: SubscriptionPurchase) -> tuple[SubscriptionRow, TermRow]:
    """Begin a subscription. Raises NotFound, PlanNotOffered, ExternalReferenceTaken, SubscriptionChangeRefused."""
    account = await account_queries.get_account(unit, new.account_id)
    row = await plan_queries.get_plan_row(unit, new.plan_id)
    version = get_plan_version_on((await plan_queries.map_plan_versions(unit, [new.plan_id]))[new.plan_id], new.start)
    price = version.get_plan_price(account.currency)
    _check_amounts(new.quantity, version, account.currency)
    anchor, end = await _place(unit, new, version)
    subscription = await activate_subscription(
        unit,
        NewSubscription(
            account_id=account.id,
            product=row.name,
            quantity=new.quantity,
            unit_price_minor=price.unit,
            start=new.start,
            end_of_term=end,
            vendor_customer_id=new.vendor_customer_id,
            vendor_subscription_id=new.vendor_subscription_id,
            bills_while_suspended=version.vendor.bills_while_suspended,
        ),
    )
    term = _first_term(unit, subscription, account, version, anchor, end)
    unit.session.add(term)
    begun = SubscriptionChange(new.start, ChangeKind.ACTIVATE, new.quantity, *_rates(version, account.currency))
    unit.session.add(build_subscription_change(unit, term, begun, "applied"))
    if not new.auto_renew:
        unit.session.add(build_subscription_change(unit, term, SubscriptionChange(end, ChangeKind.CANCEL), "scheduled"))
    await unit.session.flush()
    if price.setup:
        once = ChargePeriod(new.start, end, 1, SubscriptionUnitRate(price.setup, str(version.plan_id), version.number))
        await term_queries.insert_subscription_charges(
            unit, [NewSubscriptionCharge(term, "setup", BillingCycle(new.start, end), once, None, new.start)]
        )
    unit.wake_after_commit("sweeps")
    return subscription, term


async def _place(unit: Unit, new: SubscriptionPurchase, version: PlanVersion) -> tuple[CycleAnchor, date]:
    """From where cycles count, and when the first term ends."""
    if new.co_terminate_with is None:
        anchor = billing_cycles.build_cycle_anchor(new.start, term=version.term, period=version.period)
        return anchor, CycleAnchor(anchor.day, version.term, anchor.from_end).get_billing_cycle_start(1)
    other = await term_queries.get_term_row(unit, new.co_terminate_with)
    if other.account_id != new.account_id or not other.term_start <= new.start < other.term_end:
        raise SubscriptionChangeRefused("co_terminate_with: it ends with a running term of the same account only")
    return CycleAnchor(other.anchor, version.period, other.from_end), other.term_end


def _first_term(
    unit: Unit, subscription: SubscriptionRow, account: AccountRow, version: PlanVersion, anchor: CycleAnchor, end: date
) -> TermRow:
    begin, until = anchor.get_cycle_bounds(subscription.start)
    vendor_from, vendor_to = CycleAnchor(anchor.day, version.vendor.period, anchor.from_end).get_cycle_bounds(
        subscription.start
    )
    return TermRow(
        subscription_id=subscription.id,
        account_id=account.id,
        plan_id=version.plan_id,
        version=version.number,
        currency=account.currency,
        quantity=subscription.quantity,
        unit_price_minor=subscription.unit_price_minor,
        anchor=anchor.day,
        from_end=anchor.from_end,
        term_months=version.term,
        period_months=version.period,
        timing="advance" if version.in_advance else "arrears",
        term_start=subscription.start,
        term_end=end,
        is_billed=True,
        changed_on=subscription.start,
        next_from=begin,
        next_to=until,
        next_due=begin if version.in_advance else until,
        vendor_unit_cost_minor=version.vendor.unit,
        vendor_currency=version.vendor.currency,
        vendor_period_months=version.vendor.period,
        vendor_is_billed=True,
        vendor_next_from=vendor_from,
        vendor_next_to=vendor_to,
        wake_at=unit.now,
        ended_on=None,
    )


def _check_amounts(quantity: int, version: PlanVersion, currency: str) -> None:
    """Check that a cycle costs no more than one amount may be, the customer and us.

    Raises SubscriptionChangeRefused.
    """
    if quantity * max(rate.price for rate in _rates(version, currency)) > MAX_MINOR:
        raise SubscriptionChangeRefused("quantity: a cycle of so many would cost more than any amount may be")


def _rates(version: PlanVersion, currency: str) -> tuple[SubscriptionUnitRate, SubscriptionUnitRate]:
    """The customer's and the vendor's rate of a version."""
    plan = str(version.plan_id)
    return SubscriptionUnitRate(version.get_plan_price(currency).unit, plan, version.number), SubscriptionUnitRate(
        version.vendor.unit, plan, version.number
    )


def build_subscription_change(
    unit: Unit, term: TermRow, change: SubscriptionChange, state: str, wanted: ChangeOrder | None = None
) -> SubscriptionChangeRow:
    """Build the row of a change, as it was made or is wanted."""
    return SubscriptionChangeRow(
        id=new_id(),
        subscription_id=term.subscription_id,
        account_id=term.account_id,
        kind=change.kind,
        state=state,
        effective_on=change.effective_on,
        quantity=change.quantity,
        plan_id=UUID(change.rate.plan) if change.rate else wanted.plan_id if wanted else None,
        version=change.rate.version if change.rate else None,
        unit_price_minor=change.rate.price if change.rate else None,
        vendor_unit_cost_minor=change.vendor_rate.price if change.vendor_rate else None,
        actor=wanted.actor if wanted else None,
        reason=wanted.reason if wanted else None,
        requested_at=unit.now,
        decided_at=unit.now if state == "applied" else None,
    )


async def change_subscription(unit: Unit, subscription_id: UUID, wanted: ChangeOrder) -> SubscriptionChangeRow:
    """Change a subscription now or at renewal. Raises NotFound, SubscriptionChangeRefused, PlanNotOffered."""
    term = await term_queries.get_term_row(unit, subscription_id)
    await unit.lock_subjects(term.account_id)
    term = await term_queries.get_term_row(unit, subscription_id)
    if term.ended_on is not None:
        raise SubscriptionChangeRefused("the subscription is cancelled")
    if wanted.at_renewal:
        return await _schedule(unit, term, wanted)
    account = await account_queries.get_account(unit, term.account_id)
    today = get_local_date(unit.now, ZoneInfo(account.time_zone))
    if today < term.term_start:
        raise SubscriptionChangeRefused(f"the subscription begins on {term.term_start}")
    before = (await term_queries.map_subscription_histories(unit, [subscription_id]))[subscription_id]
    version = await _version_of(unit, term)
    new = await _now(unit, term, version, before, wanted, today)
    row = build_subscription_change(unit, term, new, "applied", wanted)
    unit.session.add(row)
    await unit.session.flush()
    former = term.model_dump()
    await subscription_changes.settle_subscription_change(
        unit, term, AppliedSubscriptionChange(before.add_subscription_change(new), version, new, row.id, today)
    )
    await publish_subscription_change(unit, term, row)
    unit.record(audit.AuditedChange("subscription", subscription_id, term.account_id, former, term.model_dump()))
    return row


async def _version_of(unit: Unit, term: TermRow) -> PlanVersion:
    versions = (await plan_queries.map_plan_versions(unit, [term.plan_id]))[term.plan_id]
    return next(version for version in versions if version.number == term.version)


async def _now(
    unit: Unit, term: TermRow, version: PlanVersion, course: SubscriptionHistory, wanted: ChangeOrder, today: date
) -> SubscriptionChange:
    window = version.cancellation_days
    if wanted.kind is ChangeKind.CANCEL:
        subscription_history.check_cancellation_window(course, today=today, term_start=term.term_start, window=window)
        return SubscriptionChange(today, ChangeKind.CANCEL)
    # With another plan, too, no more seats are given back than may be.
    quantity = wanted.quantity or term.quantity
    subscription_history.check_quantity_change(course, quantity, today=today, term_start=term.term_start, window=window)
    if wanted.kind is ChangeKind.QUANTITY:
        _check_amounts(quantity, version, term.currency)
        return SubscriptionChange(today, ChangeKind.QUANTITY, quantity)
    assert wanted.plan_id is not None
    new = get_plan_version_on(
        (await plan_queries.map_plan_versions(unit, [wanted.plan_id])).get(wanted.plan_id) or [], today
    )
    if (new.term, new.period, new.vendor.period) != (version.term, version.period, version.vendor.period):
        raise SubscriptionChangeRefused("a plan with another term or billing period begins at renewal")
    _check_amounts(quantity, new, term.currency)
    return SubscriptionChange(today, ChangeKind.PLAN, wanted.quantity, *_rates(new, term.currency))


async def _schedule(unit: Unit, term: TermRow, wanted: ChangeOrder) -> SubscriptionChangeRow:
    if wanted.plan_id is not None:
        await plan_queries.get_plan_row(unit, wanted.plan_id)
        # Versions are only added, so what is offered for that day now will be offered then.
        offered = (await plan_queries.map_plan_versions(unit, [wanted.plan_id]))[wanted.plan_id]
        version = get_plan_version_on(
            [candidate for candidate in offered if term.currency in candidate.prices], term.term_end
        )
        _check_amounts(wanted.quantity or term.quantity, version, term.currency)
    elif wanted.quantity is not None:
        _check_amounts(wanted.quantity, await _version_of(unit, term), term.currency)
    if any(
        candidate.kind == wanted.kind
        for candidate in (await term_queries.map_scheduled_changes(unit, [term.subscription_id])).popitem()[1]
    ):
        raise SubscriptionChangeRefused(f"a change of the kind {wanted.kind} is scheduled; withdraw it first")
    row = build_subscription_change(
        unit, term, SubscriptionChange(term.term_end, wanted.kind, wanted.quantity), "scheduled", wanted
    )
    unit.session.add(row)
    await unit.session.flush()
    unit.record(audit.AuditedChange("subscription_change", row.id, row.account_id))
    return row


async def withdraw_scheduled_change(unit: Unit, subscription_id: UUID, change_id: UUID) -> SubscriptionChangeRow:
    """Withdraw a scheduled change; without its end a subscription renews. Raises NotFound, StateMoveRefused."""
    term = await term_queries.get_term_row(unit, subscription_id)
    await unit.lock_subjects(term.account_id)
    row = await unit.session.get(SubscriptionChangeRow, change_id, populate_existing=True)
    if row is None or row.subscription_id != subscription_id:
        raise NotFound(f"the subscription has no change {change_id}")
    before = row.model_dump()
    row.state = check_state_move(CHANGE_ALLOWED, SubscriptionChangeState(row.state), SubscriptionChangeState.WITHDRAWN)
    row.decided_at = unit.now
    await unit.session.flush()
    unit.record(audit.AuditedChange("subscription_change", row.id, row.account_id, before, row.model_dump()))
    return row


async def publish_subscription_change(unit: Unit, term: TermRow, row: SubscriptionChangeRow) -> None:
    """Say how the subscription stands after a change."""
    if row.kind == ChangeKind.CANCEL:
        subscription_changes.publish_subscription_ended(unit, term)
    else:
        changed = SubscriptionChanged(
            **subscription_changes.build_subscription_event_fields(term),
            change_id=row.id,
            kind=row.kind,
            effective_on=row.effective_on,
        )
        unit.publish(changed)
