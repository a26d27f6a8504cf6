"""Accounts and subscriptions."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from services.invoicing.tables import AccountRow, SubscriptionRow
from shared.database import Unit
from shared.errors import NotFound


async def account(unit: Unit, account_id: UUID) -> AccountRow:
    """The account, to be read only: nearly every request asks for it. Raises NotFound."""
    row = await unit.connection.fetchrow("SELECT * FROM accounts WHERE id = $1", account_id)
    if row is None:
        raise NotFound(f"there is no account {account_id}")
    return AccountRow(**row)


_LOCKED = """
SELECT a.*, s.sequence AS last_sequence, set_config('plan_cache_mode', 'force_generic_plan', true)
FROM accounts a JOIN streams s ON s.subject = a.id::text
WHERE a.id = $1 FOR NO KEY UPDATE OF s
"""
"""What follows in its transaction is about one account, so one plan is as good as another: to make a new one for
each statement costs Postgres more than a third of a payment's time."""


async def locked(unit: Unit, account_id: UUID) -> AccountRow:
    """The account, to be read only, with its stream locked, in one statement. Raises NotFound."""
    row = await unit.connection.fetchrow(_LOCKED, account_id)
    if row is None:
        raise NotFound(f"there is no account {account_id}")
    fields = dict(row)
    del fields["set_config"]
    unit.has_locked(account_id, fields.pop("last_sequence"))
    return AccountRow(**fields)


async def account_to_change(unit: Unit, account_id: UUID) -> AccountRow:
    """The account, in the session. Raises NotFound."""
    row = await unit.session.get(AccountRow, account_id)
    if row is None:
        raise NotFound(f"there is no account {account_id}")
    return row


async def accounts_after(unit: Unit, after: UUID | None, limit: int) -> Sequence[AccountRow]:
    """Accounts in the order of their ids."""
    query = select(AccountRow).order_by(col(AccountRow.id)).limit(limit)
    if after is not None:
        query = query.where(col(AccountRow.id) > after)
    return (await unit.session.exec(query)).all()


async def account_by_reference(unit: Unit, reference: str) -> AccountRow | None:
    """The account that another system knows by this reference."""
    return (await unit.session.exec(select(AccountRow).where(AccountRow.external_reference == reference))).first()


async def add(unit: Unit, row: AccountRow | SubscriptionRow) -> bool:
    """Write a new row; False if another unit took its reference meanwhile, and then this unit cannot go on."""
    unit.session.add(row)
    try:
        await unit.session.flush()
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != asyncpg.UniqueViolationError.sqlstate:
            raise
        return False
    return True


async def subscriptions_of(unit: Unit, account_id: UUID) -> Sequence[SubscriptionRow]:
    """The subscriptions of an account."""
    query = select(SubscriptionRow).where(SubscriptionRow.account_id == account_id).order_by(col(SubscriptionRow.id))
    return (await unit.session.exec(query)).all()


async def subscription(unit: Unit, subscription_id: UUID) -> SubscriptionRow:
    """The subscription. Raises NotFound."""
    row = await unit.session.get(SubscriptionRow, subscription_id)
    if row is None:
        raise NotFound(f"there is no subscription {subscription_id}")
    return row


async def vendor_id_taken(unit: Unit, vendor_subscription_id: str) -> bool:
    """Whether a subscription with this vendor's id exists."""
    query = select(SubscriptionRow.id).where(SubscriptionRow.vendor_subscription_id == vendor_subscription_id)
    return (await unit.session.exec(query)).first() is not None


async def time_zones(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The time zones of these accounts."""
    rows = await unit.connection.fetch("SELECT id, time_zone FROM accounts WHERE id = ANY($1::uuid[])", account_ids)
    return {row["id"]: row["time_zone"] for row in rows}
