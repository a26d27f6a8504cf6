"""Late accounts: those with an open dunning case, by what is asked for, and what is suspended or waits there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query
from shared.pure.calendar import ONE_DAY

_LATE = """
SELECT c.id AS case_id, c.account_id, a.legal_entity, a.time_zone, c.opened_at, c.stage, c.oldest_due_date
FROM cases c JOIN accounts a ON a.account_id = c.account_id
"""


@dataclass(frozen=True, slots=True)
class LateAccountCriteria:
    """Criteria of the late accounts that are wanted; None is any. Days late are whole local days."""

    legal_entity: str | None = None
    step: str | None = None
    min_days_late: int | None = None


def build_late_account_query(
    criteria: LateAccountCriteria, now: datetime, after: UUID | None, limit: int
) -> tuple[str, list[Any]]:
    """Build the query of a page in the order of the cases' ids, and its arguments.

    The index bounds the due date by the latest local day that there is now anywhere; the account's own day decides.
    """
    days, latest_day = criteria.min_days_late, now.astimezone(UTC).date() + ONE_DAY
    conditions = (
        ("a.legal_entity = {}", criteria.legal_entity),
        ("c.stage = {}", criteria.step),
        ("c.oldest_due_date <= {}::date", None if days is None else latest_day - days * ONE_DAY),
        (f"({{}}::timestamptz AT TIME ZONE a.time_zone)::date - c.oldest_due_date >= {days}", days and now),
        ("c.id > {}", after),
    )
    return build_list_query(_LATE, conditions, "c.id", limit, always=("c.closed_at IS NULL",))


async def list_late_account_rows(
    unit: Unit, criteria: LateAccountCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """List the accounts with something overdue in the order of their cases' ids, after this one."""
    query, arguments = build_late_account_query(criteria, unit.now, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


_SUSPENSIONS = """
SELECT account_id, subscription_id, state, vendor_refusal FROM suspensions
WHERE account_id = ANY($1::uuid[]) AND state IN ('requested', 'effective', 'ending') ORDER BY id
"""
_WAITING = """
SELECT account_id, invoice_id, step, waits_for, cause, since, until FROM deferrals
WHERE account_id = ANY($1::uuid[]) ORDER BY invoice_id
"""


async def list_suspensions_of_accounts(unit: Unit, account_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """List the suspensions of these accounts that are requested or at the vendor."""
    return await unit.connection.fetch(_SUSPENSIONS, account_ids)  # type: ignore[no-any-return]


async def list_deferred_steps(unit: Unit, account_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """List the steps of these accounts that are due and wait."""
    return await unit.connection.fetch(_WAITING, account_ids)  # type: ignore[no-any-return]
