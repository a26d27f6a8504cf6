"""Notices of all accounts by what people ask for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query

NoticeState = Literal["pending", "sent", "failed", "withdrawn"]

_NOTICES = """
SELECT id, account_id, kind, template, state, created_at, delivered_at, failure, items, subscription_ids FROM notices
"""


@dataclass(frozen=True, slots=True)
class NoticeCriteria:
    """Criteria of the notices that are wanted; None is any. `since` is inclusive: when they were written."""

    account_id: UUID | None = None
    state: NoticeState | None = None
    since: datetime | None = None


def build_notice_query(criteria: NoticeCriteria, after: UUID | None, limit: int) -> tuple[str, list[Any]]:
    """Build the query of a page, the newest first, and its arguments."""
    conditions = (
        ("account_id = {}", criteria.account_id),
        ("state = {}", criteria.state),
        ("created_at >= {}", criteria.since),
        ("id < {}", after),
    )
    return build_list_query(_NOTICES, conditions, "id DESC", limit)


async def search_notices(unit: Unit, criteria: NoticeCriteria, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """Find notices, the newest first, written before this one."""
    query, arguments = build_notice_query(criteria, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]
