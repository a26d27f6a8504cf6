"""The balance of invoices as other services ask for it: one statement, so that it is one moment."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.invoicing.receivables.repository.line_amounts import COMPUTE_OPEN_MINOR
from shared.persistence.database import Unit

_BALANCES = f"""
SELECT i.id, i.account_id, i.number, i.currency, i.due_date, i.total_minor, s.changed_at, t.sequence,
       b.line, l.subscription_id, b.credited_minor, b.in_flight_minor, b.written_off_minor,
       b.reserved_minor, b.charged_back_minor,
       {COMPUTE_OPEN_MINOR.format("b.")} AS open_minor
FROM invoices i
JOIN invoice_states s ON s.invoice_id = i.id
JOIN streams t ON t.subject = i.account_id::text
JOIN invoice_lines l ON l.invoice_id = i.id
JOIN line_balances b ON b.invoice_id = i.id AND b.line = l.line
WHERE i.id = ANY($1::uuid[])
ORDER BY i.id, b.line
"""


async def list_invoice_balance_rows(unit: Unit, invoice_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """One row for each line of these invoices, with the account's sequence at this moment."""
    return await unit.connection.fetch(_BALANCES, list(invoice_ids))  # type: ignore[no-any-return]
