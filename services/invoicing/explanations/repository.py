"""Where a line of an invoice comes from: the line, its charge, the plan's version and the change; what was credited."""

from uuid import UUID

import asyncpg

from shared.persistence.database import Unit
from shared.pure.errors import NotFound

_LINE = """
SELECT i.number, i.currency, l.line, l.description, l.net_minor, l.tax_minor, l.tax_rate_bp, l.amount_minor,
    b.amount_minor AS collectable_minor, l.subscription_id, i.tax_request_id,
    c.id AS charge_id, c.kind, c.plan_id, p.name AS plan, c.version, v.effective_from, c.cycle_from, c.cycle_to,
    c.period_from, c.period_to, c.quantity, c.unit_price_minor, c.reference,
    c.settled_minor + c.lapsed_minor AS elsewhere_minor,
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


async def get_explained_invoice_line(unit: Unit, invoice_id: UUID, number: int) -> asyncpg.Record:
    """A line with all that it comes from. Raises NotFound."""
    row = await unit.connection.fetchrow(_LINE, invoice_id, number)
    if row is None:
        raise NotFound(f"there is no line {number} of an invoice {invoice_id}")
    return row


_CREDITS = """
SELECT n.id AS credit_note_id, n.number, n.reason_code, k.amount_minor, c.id AS charge_id, c.kind, c.cycle_from,
    c.cycle_to, c.period_from, c.period_to, c.quantity, c.unit_price_minor, s.net_minor,
    c.amount_minor - s.net_minor AS elsewhere_minor, h.id AS change_id, h.reason
FROM credit_note_lines k
JOIN credit_notes n ON n.id = k.credit_note_id
LEFT JOIN credited_charges s ON s.bill_id = n.bill_id
LEFT JOIN charges c ON c.id = s.charge_id
LEFT JOIN subscription_changes h ON h.id = c.reference
WHERE n.account_id = (SELECT account_id FROM invoices WHERE id = $1) AND n.invoice_id = $1 AND k.line = $2
ORDER BY n.number, c.subscription_id, c.period_from, c.created_at, c.quantity, c.id
"""


async def list_credits_on_line(unit: Unit, invoice_id: UUID, number: int) -> list[asyncpg.Record]:
    """The credit notes on a line, in order, each once for each charge that the bill run settled with it."""
    return await unit.connection.fetch(_CREDITS, invoice_id, number)  # type: ignore[no-any-return]
