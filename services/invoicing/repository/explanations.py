"""Where a line of an invoice comes from: one statement over the line, its charge, the plan's version and the change."""

from uuid import UUID

import asyncpg

from shared.database import Unit
from shared.errors import NotFound

_LINE = """
SELECT i.number, i.currency, l.line, l.description, l.net_minor, l.tax_minor, l.tax_rate_bp, l.amount_minor,
    b.amount_minor AS collectable_minor, l.subscription_id, i.tax_request_id,
    c.id AS charge_id, c.kind, c.plan_id, p.name AS plan, c.version, v.effective_from, c.cycle_from, c.cycle_to,
    c.period_from, c.period_to, c.quantity, c.unit_price_minor, c.reference,
    h.kind AS change_kind, h.effective_on, h.quantity AS change_quantity, h.actor, h.reason,
    u.meter, u.usage_lines, u.used
FROM invoice_lines l
JOIN invoices i ON i.id = l.invoice_id
LEFT JOIN line_balances b ON b.invoice_id = l.invoice_id AND b.line = l.line
LEFT JOIN charges c ON c.id = l.charge_id
LEFT JOIN plans p ON p.id = c.plan_id
LEFT JOIN plan_versions v ON v.plan_id = c.plan_id AND v.version = c.version
LEFT JOIN subscription_changes h ON h.id = c.reference
LEFT JOIN LATERAL (
    SELECT meter, count(*) AS usage_lines, sum(quantity) AS used FROM usage_lines WHERE charge_id = c.id GROUP BY meter
) u ON c.kind = 'usage'
WHERE l.invoice_id = $1 AND l.line = $2
"""


async def line(unit: Unit, invoice_id: UUID, number: int) -> asyncpg.Record:
    """A line with all that it comes from. Raises NotFound."""
    row = await unit.connection.fetchrow(_LINE, invoice_id, number)
    if row is None:
        raise NotFound(f"there is no line {number} of an invoice {invoice_id}")
    return row
