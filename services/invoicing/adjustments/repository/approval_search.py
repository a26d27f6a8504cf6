"""Refunds and write-offs by what people ask for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query

_APPROVALS = """
SELECT id, kind, account_id, invoice_id, amount_minor, currency, lines, reason_code, reason, state, proposed_by,
    proposed_at, decided_by, decision_reason, decided_at, credit_note_id
FROM approvals
"""


@dataclass(frozen=True, slots=True)
class ApprovalSearchCriteria:
    """Criteria of the refunds or write-offs that are wanted; None is any. `since` is inclusive: when proposed."""

    kind: Literal["refund", "write_off"]
    state: str | None = None
    account_id: UUID | None = None
    since: datetime | None = None


def build_approval_search(criteria: ApprovalSearchCriteria, after: UUID | None, limit: int) -> tuple[str, list[Any]]:
    """Build the query of a page in the order of ids, and its arguments."""
    conditions = (
        ("kind = {}", criteria.kind),
        ("state = {}", criteria.state),
        ("account_id = {}", criteria.account_id),
        ("proposed_at >= {}", criteria.since),
        ("id > {}", after),
    )
    return build_list_query(_APPROVALS, conditions, "id", limit)


async def search_approvals(
    unit: Unit, criteria: ApprovalSearchCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Find refunds or write-offs in the order of their ids, after this one."""
    query, arguments = build_approval_search(criteria, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]
