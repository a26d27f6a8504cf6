"""Waiting steps of all accounts: what is due, and held back by the guard, by the bank's data or by the policy."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query

_WAITING = """
SELECT d.invoice_id, d.account_id, a.legal_entity, i.number, i.due_date, i.currency, i.open_minor, d.step, d.waits_for,
    d.cause, d.since, d.until
FROM deferrals d JOIN items i ON i.invoice_id = d.invoice_id JOIN accounts a ON a.account_id = d.account_id
"""


@dataclass(frozen=True, slots=True)
class WaitingStepCriteria:
    """Criteria of the waiting steps that are wanted; None is any."""

    waits_for: str | None = None
    account_id: UUID | None = None
    legal_entity: str | None = None


def build_waiting_step_query(criteria: WaitingStepCriteria, after: UUID | None, limit: int) -> tuple[str, list[Any]]:
    """Build the query of a page in the order of the invoices' ids, and its arguments."""
    conditions = (
        ("d.waits_for = {}", criteria.waits_for),
        ("d.account_id = {}", criteria.account_id),
        ("a.legal_entity = {}", criteria.legal_entity),
        ("d.invoice_id > {}", after),
    )
    return build_list_query(_WAITING, conditions, "d.invoice_id", limit)


async def search_waiting_steps(
    unit: Unit, criteria: WaitingStepCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """List waiting steps in the order of their invoices' ids, after this one."""
    query, arguments = build_waiting_step_query(criteria, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]
