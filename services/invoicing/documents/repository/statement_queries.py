"""Queries of a statement of account: changes of the balance, from the ledger, and what was open at an instant.

What is to be refunded is still the customer's until it is paid out, so `refunds` counts with `unapplied`: a proposal
moves nothing, whether it is declined or not.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.persistence.database import Unit

_OPENING = """
SELECT currency, sum(amount_minor)::bigint AS amount FROM ledger_entries
WHERE account_id = $1 AND code IN ('receivables', 'unapplied', 'refunds') AND posted_at < $2 GROUP BY currency
"""
_ENTRIES = """
WITH facts AS (
    SELECT min(id) AS id, posted_at, document, document_id, currency, sum(amount_minor)::bigint AS amount
    FROM ledger_entries
    WHERE account_id = $1 AND code IN ('receivables', 'unapplied', 'refunds') AND posted_at >= $2 AND posted_at < $3
    GROUP BY posted_at, document, document_id, event_sequence, currency HAVING sum(amount_minor) <> 0
)
SELECT f.posted_at, f.currency, f.amount,
    CASE WHEN f.document = 'payment' AND f.amount > 0 THEN 'reversal' ELSE f.document END AS kind,
    coalesce(i.number, c.number, p.reference) AS reference
FROM facts f
LEFT JOIN invoices i ON f.document IN ('invoice', 'write_off', 'small_balance') AND i.id = f.document_id
LEFT JOIN credit_notes c ON f.document = 'credit_note' AND c.id = f.document_id
LEFT JOIN payments p ON f.document = 'payment' AND p.id = f.document_id
ORDER BY f.id
"""
_UNAPPLIED = """
SELECT currency, -sum(amount_minor)::bigint AS amount FROM ledger_entries
WHERE account_id = $1 AND code IN ('unapplied', 'refunds') AND posted_at < $2 GROUP BY currency
"""
_ITEMS = """
WITH written_off AS (
    SELECT document_id AS invoice_id, -sum(amount_minor) AS amount FROM ledger_entries
    WHERE account_id = $1 AND code = 'receivables' AND document IN ('write_off', 'small_balance') AND posted_at < $2
    GROUP BY document_id
)
SELECT number, issue_date, due_date, currency, total_minor, open_minor FROM (
    SELECT i.*, i.total_minor
        - coalesce((SELECT sum(amount_minor) FROM allocations a WHERE a.invoice_id = i.id AND a.allocated_at < $2
            AND NOT a.is_recovery AND (a.reversed_at IS NULL OR a.reversed_at >= $2)), 0)
        - coalesce((SELECT sum(total_minor) FROM credit_notes c WHERE c.account_id = $1 AND c.invoice_id = i.id
            AND c.issued_at < $2), 0)
        - coalesce(w.amount, 0) AS open_minor
    FROM invoices i LEFT JOIN written_off w ON w.invoice_id = i.id WHERE i.account_id = $1 AND i.issued_at < $2
) i
WHERE open_minor > 0 ORDER BY due_date, number
"""
"""Amounts written off by an instant are summed from the postings until then; a recovery opens nothing again."""


async def sum_statement_opening_balances(unit: Unit, account_id: UUID, begin: datetime) -> dict[str, int]:
    """Sum what was owed before an instant, by currency."""
    return dict(await unit.connection.fetch(_OPENING, account_id, begin))


async def list_statement_ledger_entries(
    unit: Unit, account_id: UUID, begin: datetime, end: datetime
) -> Sequence[asyncpg.Record]:
    """List what changed the balance from one instant until before another, in order."""
    rows: list[asyncpg.Record] = await unit.connection.fetch(_ENTRIES, account_id, begin, end)
    return rows


async def sum_statement_unapplied_cash(unit: Unit, account_id: UUID, end: datetime) -> dict[str, int]:
    """Unapplied cash before an instant, with what is to be refunded and was not paid out by then, by currency."""
    return dict(await unit.connection.fetch(_UNAPPLIED, account_id, end))


async def list_open_statement_invoices(unit: Unit, account_id: UUID, end: datetime) -> Sequence[asyncpg.Record]:
    """The invoices of which something was open before an instant, the oldest first."""
    rows: list[asyncpg.Record] = await unit.connection.fetch(_ITEMS, account_id, end)
    return rows
