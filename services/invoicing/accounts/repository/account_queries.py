"""Accounts and subscriptions."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from services.invoicing.accounts.tables.account_tables import AccountRow
from services.invoicing.metadata import Row
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


async def get_account(unit: Unit, account_id: UUID) -> AccountRow:
    """The account, to be read only: nearly every request asks for it. Raises NotFound."""
    row = await unit.connection.fetchrow("SELECT * FROM accounts WHERE id = $1", account_id)
    if row is None:
        raise NotFound(f"there is no account {account_id}")
    return AccountRow(**row)


@dataclass(frozen=True, slots=True)
class LockedAccount:
    """Account as far as a change of what it owes needs it; its stream is locked."""

    id: UUID
    legal_entity: str
    currency: str
    time_zone: str
    terms_days: int


_LOCKED = """
SELECT a.id, a.legal_entity, a.currency, a.time_zone, a.terms_days, s.sequence,
    set_config('plan_cache_mode', 'force_generic_plan', true)
FROM accounts a JOIN streams s ON s.subject = a.id::text
WHERE a.id = ANY($1::uuid[]) ORDER BY s.subject FOR NO KEY UPDATE OF s
"""
"""Setting of a transaction about few accounts, where one plan is as good as another: to make a new one for each
statement costs Postgres more than a third of a payment's time."""


_LOCKED_FREE = f"{_LOCKED.rstrip()} SKIP LOCKED"

_HELD = "SELECT id, legal_entity, currency, time_zone, terms_days FROM accounts WHERE id = ANY($1::uuid[]) ORDER BY id"


async def list_locked_accounts(unit: Unit, account_ids: Collection[UUID]) -> list[LockedAccount]:
    """These accounts, which the unit has locked; there may be thousands."""
    return [LockedAccount(*row) for row in await unit.connection.fetch(_HELD, account_ids)]


async def lock_accounts(unit: Unit, account_ids: Iterable[UUID]) -> dict[UUID, LockedAccount]:
    """Those of these accounts that there are, with their streams locked, in one statement.

    Those that others hold are passed over by a unit that does not wait.
    """
    accounts = {}
    ids = list(account_ids)
    query = _LOCKED if unit.waits_for_accounts else _LOCKED_FREE
    for *fields, sequence, _ in await unit.connection.fetch(query, ids):
        account = LockedAccount(*fields)
        unit.has_locked(account.id, sequence)
        accounts[account.id] = account
    if len(accounts) < len(ids) and not unit.waits_for_accounts:
        rest = [account_id for account_id in ids if account_id not in accounts]
        unit.note_passed_over(account.id for account in await list_locked_accounts(unit, rest))
    return accounts


async def lock_account(unit: Unit, account_id: UUID) -> LockedAccount:
    """The account with its stream locked. Raises NotFound."""
    account = (await lock_accounts(unit, [account_id])).get(account_id)
    if account is None:
        raise NotFound(f"there is no account {account_id}")
    return account


async def get_account_row(unit: Unit, account_id: UUID) -> AccountRow:
    """The account, in the session. Raises NotFound."""
    row = await unit.session.get(AccountRow, account_id)
    if row is None:
        raise NotFound(f"there is no account {account_id}")
    return row


async def find_account_by_reference(unit: Unit, reference: str) -> AccountRow | None:
    """The account that another system knows by this reference."""
    return (await unit.session.exec(select(AccountRow).where(AccountRow.external_reference == reference))).first()


async def insert_account_if_new(unit: Unit, row: Row) -> bool:
    """Write a new row; False if another unit took its reference meanwhile, and then this unit cannot go on."""
    unit.session.add(row)
    try:
        await unit.session.flush()
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != asyncpg.UniqueViolationError.sqlstate:
            raise
        return False
    return True


async def map_account_time_zones(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The time zones of these accounts."""
    rows = await unit.connection.fetch("SELECT id, time_zone FROM accounts WHERE id = ANY($1::uuid[])", account_ids)
    return {row["id"]: row["time_zone"] for row in rows}
