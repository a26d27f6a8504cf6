"""Subscriptions as they stand at a moment: of a plan by their current term, others as they were bought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from sqlmodel import col, select

from services.invoicing.subscriptions.domain.subscription_history import compute_subscription_state
from services.invoicing.subscriptions.repository import term_queries
from services.invoicing.subscriptions.tables.subscription_tables import SubscriptionRow
from services.invoicing.subscriptions.tables.term_tables import SubscriptionChangeRow
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date
from shared.pure.errors import NotFound


async def list_account_subscriptions(unit: Unit, account_id: UUID) -> Sequence[SubscriptionRow]:
    """The subscriptions of an account."""
    query = select(SubscriptionRow).where(SubscriptionRow.account_id == account_id).order_by(col(SubscriptionRow.id))
    return (await unit.session.exec(query)).all()


async def is_vendor_subscription_taken(unit: Unit, vendor_subscription_id: str) -> bool:
    """Whether a subscription with this vendor's id exists."""
    query = select(SubscriptionRow.id).where(SubscriptionRow.vendor_subscription_id == vendor_subscription_id)
    return (await unit.session.exec(query)).first() is not None


@dataclass(frozen=True, slots=True)
class CurrentSubscription:
    """A subscription as it stands: prices in minor units of `currency`, `end_of_term` is exclusive."""

    id: UUID
    account_id: UUID
    product: str
    plan_id: UUID | None
    plan_version: int | None
    quantity: int
    unit_price_minor: int
    currency: str
    start: date
    term_start: date
    end_of_term: date | None
    ended_on: date | None
    vendor_customer_id: str
    vendor_subscription_id: str
    bills_while_suspended: bool
    state: str
    scheduled_changes: list[SubscriptionChangeRow]


_COLUMNS = """
SELECT s.id, s.account_id, coalesce(p.name, s.product) AS product, t.plan_id, t.version AS plan_version,
    coalesce(t.quantity, s.quantity) AS quantity, coalesce(t.unit_price_minor, s.unit_price_minor) AS unit_price_minor,
    a.currency, s.start, coalesce(t.term_start, s.start) AS term_start,
    coalesce(t.term_end, s.end_of_term) AS end_of_term, t.ended_on, s.vendor_customer_id, s.vendor_subscription_id,
    s.bills_while_suspended, a.time_zone
FROM subscriptions s JOIN accounts a ON a.id = s.account_id
    LEFT JOIN terms t ON t.subscription_id = s.id LEFT JOIN plans p ON p.id = t.plan_id
"""
_ONE = f"{_COLUMNS} WHERE s.id = $1"
_OF_ACCOUNT = f"{_COLUMNS} WHERE s.account_id = $1 ORDER BY s.id"


async def get_current_subscription(unit: Unit, subscription_id: UUID) -> CurrentSubscription:
    """Read a subscription as it stands. Raises NotFound."""
    rows = await unit.connection.fetch(_ONE, subscription_id)
    if not rows:
        raise NotFound(f"there is no subscription {subscription_id}")
    return (await _add_scheduled(unit, rows))[0]


async def list_current_subscriptions(unit: Unit, account_id: UUID) -> list[CurrentSubscription]:
    """List the subscriptions of an account as they stand, in the order of their ids."""
    return await _add_scheduled(unit, await unit.connection.fetch(_OF_ACCOUNT, account_id))


async def _add_scheduled(unit: Unit, rows: list[asyncpg.Record]) -> list[CurrentSubscription]:
    changes = await term_queries.map_scheduled_changes(unit, [row["id"] for row in rows])
    return [_build(row, changes[row["id"]], unit.now) for row in rows]


def _build(row: asyncpg.Record, changes: list[SubscriptionChangeRow], now: datetime) -> CurrentSubscription:
    columns = {name: value for name, value in row.items() if name != "time_zone"}
    will_end = row["ended_on"] is not None or any(change.kind == "cancel" for change in changes)
    state = compute_subscription_state(
        get_local_date(now, ZoneInfo(row["time_zone"])), row["start"], row["ended_on"], will_end=will_end
    )
    return CurrentSubscription(**columns, state=state, scheduled_changes=changes)
