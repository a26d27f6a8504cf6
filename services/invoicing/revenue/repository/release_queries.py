"""Queries of what is released when a month is closed, and of which months are."""

from datetime import date
from uuid import UUID

from shared.persistence.database import Unit

RELEASE_EARNED_REVENUE = """
WITH parts AS (
    SELECT c.id, c.account_id, l.net_minor - coalesce(k.amount_minor, 0) AS net_minor, c.period_from, c.period_to,
        a.legal_entity, a.currency,
        least(c.period_to, $2::date) - c.period_from AS days, c.period_to - c.period_from AS whole, c.released_minor
    FROM charges c
    JOIN invoice_lines l ON l.invoice_id = c.invoice_id AND l.charge_id = c.id
    JOIN accounts a ON a.id = c.account_id
    LEFT JOIN charge_credits k ON k.charge_id = c.id
    WHERE a.legal_entity = $1 AND c.is_deferred AND c.period_from < $2
        AND c.released_minor <> l.net_minor - coalesce(k.amount_minor, 0)
), due AS (
    SELECT *, trunc(net_minor::numeric * days / whole)::bigint - released_minor AS amount FROM parts
), released AS (
    UPDATE charges c SET released_minor = c.released_minor + due.amount FROM due WHERE c.id = due.id AND due.amount <> 0
    RETURNING c.id
)
INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,
    event_sequence, posted_on, posted_at)
SELECT due.legal_entity, side.code, due.currency, side.sign * sum(due.amount), due.account_id, 'release', $3,
    s.sequence, $2::date - 1, $4
FROM due JOIN streams s ON s.subject = due.account_id::text,
    (VALUES ('deferred_revenue', 1), ('revenue', -1)) AS side (code, sign)
GROUP BY due.legal_entity, side.code, side.sign, due.currency, due.account_id, s.sequence HAVING sum(due.amount) <> 0
ORDER BY due.account_id, due.currency, side.sign DESC
"""
"""`compute_revenue_release` of the domain, for all charges of the legal entity $1 until $2; posted by account."""


async def release_earned_revenue(unit: Unit, legal_entity: str, until: date, document_id: UUID) -> None:
    """Release what was billed in advance and is earned by a day (exclusive), by days: posted on the day before."""
    await unit.connection.execute(RELEASE_EARNED_REVENUE, legal_entity, until, document_id, unit.now)


async def insert_closed_ledger_month(unit: Unit, legal_entity: str, month: date, actor: str, reason: str) -> None:
    """Close a month that is open, and with it those before it."""
    await unit.connection.execute(
        "INSERT INTO ledger_periods (legal_entity, month, closed_by, reason, closed_at) VALUES ($1, $2, $3, $4, $5)",
        legal_entity,
        month,
        actor,
        reason,
        unit.now,
    )


IS_LEDGER_MONTH_CLOSED = (
    "SELECT EXISTS (SELECT FROM ledger_periods WHERE legal_entity = $1"
    " AND month >= date_trunc('month', $2::date)::date)"
)
"""`is_month_closed` of the domain, for the day $2 and the legal entity $1."""


async def is_ledger_month_closed(unit: Unit, legal_entity: str, day: date) -> bool:
    """Say whether the month of a day is closed, by itself or with a later one."""
    return bool(
        await unit.connection.fetchval(
            IS_LEDGER_MONTH_CLOSED,
            legal_entity,
            day,
        )
    )
