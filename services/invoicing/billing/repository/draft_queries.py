"""Drafts of a bill run as people look at them before they approve: whose they are, and their lines."""

from typing import Any
from uuid import UUID

import asyncpg

from services.invoicing.receivables.repository.charge_columns import CHARGE_COLUMNS, USAGE_JOIN
from shared.persistence.database import Unit
from shared.pure.errors import NotFound

_DRAFTS = """
SELECT d.id, d.account_id, d.legal_entity, r.state, d.currency, d.issue_date AS drafted_on,
    d.due_date - d.issue_date AS terms_days, d.total_minor, r.reason AS unbilled
FROM drafts d JOIN bill_run_accounts r USING (run_id, account_id)
WHERE d.run_id = $1
"""
LINES = f"""
SELECT l.line, l.subscription_id, l.description, {CHARGE_COLUMNS},
    l.net_minor, l.tax_minor, l.tax_rate_bp, l.collectable_minor
FROM draft_lines l JOIN charges c ON c.id = l.charge_id
{USAGE_JOIN}
WHERE l.draft_id = $1 ORDER BY l.line
"""


def build_draft_list_query(
    run_id: UUID, account_id: UUID | None, after: UUID | None, limit: int
) -> tuple[str, list[Any]]:
    """Build the query of a page of a run's drafts in the order of their accounts, and its arguments."""
    conditions = [("d.account_id =", account_id), ("d.account_id >", after)]
    stated = [(comparison, value) for comparison, value in conditions if value is not None]
    where = "".join(f"AND {comparison} ${place} " for place, (comparison, _) in enumerate(stated, 2))
    query = f"{_DRAFTS} {where}ORDER BY d.account_id LIMIT ${len(stated) + 2}"
    return query, [run_id, *(value for _, value in stated), limit]


async def list_invoice_drafts(
    unit: Unit, run_id: UUID, account_id: UUID | None, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """List the drafts of a run that wait for their tax or for approval, after this account; or that of one account."""
    query, arguments = build_draft_list_query(run_id, account_id, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def get_draft_with_lines(unit: Unit, run_id: UUID, draft_id: UUID) -> tuple[asyncpg.Record, list[asyncpg.Record]]:
    """Read a draft of a run and its lines. Raises NotFound, also once it is issued or discarded."""
    head = await unit.connection.fetchrow(f"{_DRAFTS} AND d.id = $2", run_id, draft_id)
    if head is None:
        raise NotFound(f"the run has no draft {draft_id}")
    return head, await unit.connection.fetch(LINES, draft_id)
