"""Months of the ledger: from the first one in which a legal entity posted or closed until today, open or closed."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import asyncpg

from shared.persistence.database import Unit

PeriodState = Literal["open", "closed"]

LEDGER_PERIODS = """
WITH spans AS (
    SELECT e.code, date_trunc('month', least(f.posted_on, p.first)) AS first,
        date_trunc('month', greatest(l.posted_on, p.last, $1::date)) AS last
    FROM legal_entities e
    LEFT JOIN LATERAL (
        SELECT posted_on FROM ledger_entries WHERE legal_entity = e.code ORDER BY posted_on LIMIT 1
    ) f ON true
    LEFT JOIN LATERAL (
        SELECT posted_on FROM ledger_entries WHERE legal_entity = e.code ORDER BY posted_on DESC LIMIT 1
    ) l ON true
    LEFT JOIN LATERAL (
        SELECT min(month) AS first, max(month) AS last FROM ledger_periods WHERE legal_entity = e.code
    ) p ON true
    {of_entities}
)
SELECT s.code AS legal_entity, m.month, CASE WHEN c.month IS NULL THEN 'open' ELSE 'closed' END AS state,
    c.month AS closed_with, c.closed_by, c.reason, c.closed_at
FROM spans s
CROSS JOIN LATERAL (
    SELECT month::date AS month FROM generate_series(s.first::timestamp, s.last::timestamp, interval '1 month') AS month
) m
LEFT JOIN LATERAL (
    SELECT month, closed_by, reason, closed_at FROM ledger_periods
    WHERE legal_entity = s.code AND month >= m.month ORDER BY month LIMIT 1
) c ON true
{of_months}
ORDER BY s.code, m.month LIMIT $2
"""
"""A month is closed by itself or with the next one that is, which was the first to close it: `is_month_closed` of the
domain."""
STATE_CONDITIONS: dict[PeriodState, str] = {"open": "c.month IS NULL", "closed": "c.month IS NOT NULL"}


@dataclass(frozen=True, slots=True)
class LedgerPeriodCriteria:
    """Criteria of the months that are wanted; None is any."""

    legal_entity: str | None = None
    state: PeriodState | None = None


def build_ledger_period_list(
    criteria: LedgerPeriodCriteria, today: date, after: tuple[str, date] | None, limit: int
) -> tuple[str, list[Any]]:
    """Build the query of a page by legal entity and month, and its arguments; `after` is the last month seen."""
    arguments: list[Any] = [today, limit]
    entities, months = [], []
    if criteria.legal_entity is not None:
        arguments.append(criteria.legal_entity)
        entities.append(f"e.code = ${len(arguments)}")
    if criteria.state is not None:
        months.append(STATE_CONDITIONS[criteria.state])
    if after is not None:
        arguments.extend(after)
        place = len(arguments)
        entities.append(f"e.code >= ${place - 1}")
        months.append(f"(s.code, m.month) > (${place - 1}, ${place}::date)")
    return LEDGER_PERIODS.format(of_entities=_where(entities), of_months=_where(months)), arguments


def _where(clauses: list[str]) -> str:
    return f"WHERE {' AND '.join(clauses)}" if clauses else ""


async def list_ledger_period_records(
    unit: Unit, criteria: LedgerPeriodCriteria, today: date, after: tuple[str, date] | None, limit: int
) -> list[asyncpg.Record]:
    """List months by legal entity, the oldest first, after this one."""
    query, arguments = build_ledger_period_list(criteria, today, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]
