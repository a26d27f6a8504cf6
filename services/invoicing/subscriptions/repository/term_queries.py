"""The current terms of subscriptions, their changes, and what was charged for their cycles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg
from sqlmodel import col, select

from services.invoicing.subscriptions.domain.proration import BillingCycle, ChargePeriod, SubscriptionUnitRate
from services.invoicing.subscriptions.domain.subscription_history import (
    ChangeKind,
    SubscriptionChange,
    SubscriptionHistory,
)
from services.invoicing.subscriptions.tables.term_tables import SubscriptionChangeRow, TermRow
from shared.persistence.bulk_rows import Integer, RowParameters
from shared.persistence.database import Unit
from shared.persistence.local_midnights import write_local_date
from shared.pure.errors import NotFound
from shared.pure.ids import new_id

Charged = dict[BillingCycle, list[ChargePeriod]]
"""What was charged of each cycle."""


@dataclass(frozen=True, slots=True)
class NewSubscriptionCharge:
    """A stretch to be charged, with what it costs."""

    term: TermRow
    kind: str
    cycle: BillingCycle
    stretch: ChargePeriod
    reference: UUID | None
    on: date
    """When it is due to be billed, or when the vendor charges it."""


async def get_term_row(unit: Unit, subscription_id: UUID) -> TermRow:
    """The current term of a subscription of a plan. Raises NotFound."""
    row = await unit.session.get(TermRow, subscription_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no subscription {subscription_id} of a plan")
    return row


async def list_term_rows(unit: Unit, subscription_ids: Iterable[UUID]) -> Sequence[TermRow]:
    """The terms of these subscriptions."""
    query = select(TermRow).where(col(TermRow.subscription_id).in_(list(subscription_ids)))
    return (await unit.session.exec(query, execution_options={"populate_existing": True})).all()


async def list_subscription_changes(unit: Unit, subscription_id: UUID) -> Sequence[SubscriptionChangeRow]:
    """All changes of a subscription, in the order in which they take effect."""
    query = (
        select(SubscriptionChangeRow)
        .where(SubscriptionChangeRow.subscription_id == subscription_id)
        .order_by(col(SubscriptionChangeRow.effective_on), col(SubscriptionChangeRow.id))
    )
    return (await unit.session.exec(query)).all()


async def map_scheduled_changes(
    unit: Unit, subscription_ids: Iterable[UUID]
) -> dict[UUID, list[SubscriptionChangeRow]]:
    """Map these subscriptions to what is scheduled for their next renewal."""
    changes_by_subscription: dict[UUID, list[SubscriptionChangeRow]] = {id_: [] for id_ in subscription_ids}
    query = (
        select(SubscriptionChangeRow)
        .where(col(SubscriptionChangeRow.subscription_id).in_(list(changes_by_subscription)))
        .where(SubscriptionChangeRow.state == "scheduled")
        .order_by(col(SubscriptionChangeRow.id))
    )
    for row in (await unit.session.exec(query)).all():
        changes_by_subscription[row.subscription_id].append(row)
    return changes_by_subscription


_APPLIED = """
SELECT * FROM subscription_changes WHERE subscription_id = ANY($1::uuid[]) AND state = 'applied'
ORDER BY subscription_id, effective_on, decided_at, id
"""


async def map_subscription_histories(unit: Unit, subscription_ids: Iterable[UUID]) -> dict[UUID, SubscriptionHistory]:
    """The course of each of these subscriptions."""
    changes_by_subscription: dict[UUID, list[SubscriptionChange]] = {id_: [] for id_ in subscription_ids}
    for row in await unit.connection.fetch(_APPLIED, list(changes_by_subscription)):
        changes_by_subscription[row["subscription_id"]].append(_change(row))
    return {id_: SubscriptionHistory(applied) for id_, applied in changes_by_subscription.items()}


def _change(row: asyncpg.Record) -> SubscriptionChange:
    plan, version = str(row["plan_id"]), row["version"]
    priced = row["unit_price_minor"] is not None
    return SubscriptionChange(
        row["effective_on"],
        ChangeKind(row["kind"]),
        row["quantity"],
        SubscriptionUnitRate(row["unit_price_minor"], plan, version) if priced else None,
        SubscriptionUnitRate(row["vendor_unit_cost_minor"], plan, version) if priced else None,
    )


_CHARGED = """
SELECT subscription_id, cycle_from, cycle_to, period_from, period_to, quantity, unit_price_minor,
    plan_id::text AS plan, version
FROM charges JOIN unnest($1::uuid[], $2::date[]) AS asked (subscription_id, since) USING (subscription_id)
WHERE cycle_to > since AND kind IN ('cycle', 'reversal', 'change') ORDER BY cycle_from
"""
_VENDOR_CHARGED = """
SELECT c.subscription_id, cycle_from, cycle_from + cycle_days AS cycle_to, period_from, period_to, quantity,
    unit_cost_minor AS unit_price_minor, plan_id::text AS plan, version
FROM vendor_charges c JOIN unnest($1::uuid[], $2::date[]) AS asked (subscription_id, since) USING (subscription_id)
WHERE cycle_from + cycle_days > since ORDER BY cycle_from
"""


async def map_charged_subscription_periods(
    unit: Unit, since: Mapping[UUID, date], *, by_vendor: bool = False
) -> dict[UUID, Charged]:
    """Map these subscriptions to what was charged of their cycles that end after a day."""
    charged_by_subscription: dict[UUID, Charged] = {id_: {} for id_ in since}
    query = _VENDOR_CHARGED if by_vendor else _CHARGED
    for row in await unit.connection.fetch(query, list(since), list(since.values())):
        rate = SubscriptionUnitRate(row["unit_price_minor"], row["plan"], row["version"])
        stretch = ChargePeriod(row["period_from"], row["period_to"], row["quantity"], rate)
        cycle = BillingCycle(row["cycle_from"], row["cycle_to"])
        charged_by_subscription[row["subscription_id"]].setdefault(cycle, []).append(stretch)
    return charged_by_subscription


class NewCharge(NamedTuple):
    """A row of `charges` of which nothing is billed yet."""

    id: UUID
    account_id: UUID
    subscription_id: UUID
    kind: str
    reference: UUID | None
    plan_id: UUID
    version: Integer
    cycle_from: date
    cycle_to: date
    period_from: date
    period_to: date
    quantity: Integer
    unit_price_minor: int
    amount_minor: int
    currency: str
    due_on: date
    is_deferred: bool


_CHARGES = RowParameters(NewCharge, first=2)
_ADD_CHARGES = f"""
INSERT INTO charges ({_CHARGES.columns}, released_minor, settled_minor, lapsed_minor, created_at)
SELECT n.*, 0, 0, 0, $1 FROM unnest({_CHARGES.typed_arrays}) AS n
"""


async def insert_subscription_charges(unit: Unit, new: Sequence[NewSubscriptionCharge]) -> None:
    """Write what is to be billed."""
    charges = [
        NewCharge(
            id=new_id(),
            account_id=charge.term.account_id,
            subscription_id=charge.term.subscription_id,
            kind=charge.kind,
            reference=charge.reference,
            plan_id=UUID(charge.stretch.rate.plan),
            version=charge.stretch.rate.version,
            cycle_from=charge.cycle.begin,
            cycle_to=charge.cycle.end,
            period_from=charge.stretch.begin,
            period_to=charge.stretch.end,
            quantity=charge.stretch.quantity,
            unit_price_minor=charge.stretch.rate.price,
            amount_minor=charge.cycle.compute_prorated_amount(charge.stretch),
            currency=charge.term.currency,
            due_on=charge.on,
            is_deferred=charge.term.timing == "advance" and charge.kind != "setup",
        )
        for charge in new
    ]
    if charges:
        await unit.connection.execute(_ADD_CHARGES, unit.now, *_CHARGES.split_columns(charges))


VENDOR_POSTING = f"""
INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,
    event_sequence, posted_on, posted_at)
SELECT a.legal_entity, side.code, c.currency, side.sign * c.amount_minor, c.account_id, 'vendor_charge', c.id,
    s.sequence, {write_local_date("c.accrued_at", "a.time_zone")}, c.accrued_at
FROM charged c JOIN accounts a ON a.id = c.account_id JOIN streams s ON s.subject = c.account_id::text,
    (VALUES ('vendor_cost', 1), ('vendor_payable', -1)) AS side (code, sign)
WHERE c.amount_minor <> 0
"""
"""The two sides of vendor charges that a statement has just `charged`."""


class NewVendorCharge(NamedTuple):
    """A row of `vendor_charges`, but for the time of its accrual."""

    id: UUID
    account_id: UUID
    subscription_id: UUID
    kind: str
    reference: UUID
    plan_id: UUID
    version: Integer
    cycle_from: date
    period_from: date
    period_to: date
    cycle_days: Integer
    quantity: Integer
    unit_cost_minor: int
    amount_minor: int
    currency: str
    charged_on: date


_VENDOR_CHARGES = RowParameters(NewVendorCharge, first=2)
_ADD_VENDOR_CHARGES = f"""
WITH charged AS (
    INSERT INTO vendor_charges ({_VENDOR_CHARGES.columns}, accrued_at)
    SELECT n.*, $1 FROM unnest({_VENDOR_CHARGES.typed_arrays}) AS n
    RETURNING *
)
{VENDOR_POSTING}
"""


async def insert_vendor_charges(unit: Unit, new: Sequence[NewSubscriptionCharge]) -> None:
    """Write what the vendor charges us, with its ledger entries."""
    charges = [
        NewVendorCharge(
            id=new_id(),
            account_id=charge.term.account_id,
            subscription_id=charge.term.subscription_id,
            kind=charge.kind,
            reference=charge.reference or new_id(),
            plan_id=UUID(charge.stretch.rate.plan),
            version=charge.stretch.rate.version,
            cycle_from=charge.cycle.begin,
            period_from=charge.stretch.begin,
            period_to=charge.stretch.end,
            cycle_days=charge.cycle.cycle_day_count,
            quantity=charge.stretch.quantity,
            unit_cost_minor=charge.stretch.rate.price,
            amount_minor=charge.cycle.compute_prorated_amount(charge.stretch),
            currency=charge.term.vendor_currency,
            charged_on=charge.on,
        )
        for charge in new
    ]
    if charges:
        await unit.connection.execute(_ADD_VENDOR_CHARGES, unit.now, *_VENDOR_CHARGES.split_columns(charges))
