"""Invoices and credit notes as they are drawn up."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from services.invoicing.documents.domain.paper import DocumentChargedPeriod, DocumentLine
from services.invoicing.receivables.repository.charge_columns import USAGE_JOIN
from shared.persistence.database import Unit

_LACKS_RATE = "l.tax_class IS NOT NULL AND l.tax_rate_bp IS NULL AS lacks_rate"
"""Whether a line by hand has no tax since no rate was in force for its class."""
_LINES = f"""
SELECT l.line, l.description, l.net_minor, l.tax_minor, l.tax_rate_bp, {_LACKS_RATE}, s.product,
    CASE WHEN c.settled_minor + c.lapsed_minor = 0 THEN c.kind END AS kind, c.period_from, c.period_to,
    c.cycle_to - c.cycle_from AS cycle_days,
    CASE WHEN c.kind = 'usage' THEN u.quantity ELSE c.quantity END AS quantity,
    CASE WHEN c.kind <> 'usage' THEN c.unit_price_minor END AS unit_price_minor, coalesce(u.meters, '') AS meter
FROM invoice_lines l
LEFT JOIN charges c ON c.id = l.charge_id
LEFT JOIN subscriptions s ON s.id = c.subscription_id
{USAGE_JOIN}
WHERE l.invoice_id = $1 ORDER BY l.line
"""
"""What credit notes left of a charge is told by its description: it is not quantity by price."""
_CREDITED = f"""
SELECT n.line, l.description, n.amount_minor, l.amount_minor AS line_amount, l.tax_minor AS line_tax, l.tax_rate_bp,
    {_LACKS_RATE}, s.product, c.kind, c.period_from, c.period_to, coalesce(u.meters, '') AS meter, coalesce((
        SELECT sum(b.amount_minor) FROM credit_note_lines b JOIN credit_notes e ON e.id = b.credit_note_id
        WHERE e.account_id = o.account_id AND e.invoice_id = o.invoice_id AND b.line = n.line AND e.number < o.number
    ), 0)::bigint AS credited_before
FROM credit_notes o
JOIN credit_note_lines n ON n.credit_note_id = o.id
JOIN invoice_lines l ON l.invoice_id = o.invoice_id AND l.line = n.line
LEFT JOIN charges c ON c.id = l.charge_id
LEFT JOIN subscriptions s ON s.id = c.subscription_id
{USAGE_JOIN}
WHERE o.id = $1 ORDER BY n.line
"""
_SETTLED = """
SELECT coalesce((SELECT sum(amount_minor) FROM allocations
        WHERE invoice_id = $1 AND allocated_at <= $3 AND (reversed_at IS NULL OR reversed_at > $3)), 0)::bigint AS paid,
    coalesce((SELECT sum(total_minor) FROM credit_notes
        WHERE account_id = $2 AND invoice_id = $1 AND issued_at <= $3), 0)::bigint AS credited
"""
_POLICY_OF_DAY = """
SELECT coalesce(
    (SELECT version FROM policy_versions WHERE effective_date <= $1 ORDER BY effective_date DESC, version DESC LIMIT 1),
    (SELECT version FROM policy_versions ORDER BY effective_date, version LIMIT 1))
"""


async def list_document_lines(unit: Unit, invoice_id: UUID) -> tuple[DocumentLine, ...]:
    """The lines of an invoice."""
    return tuple(
        DocumentLine(
            row["line"],
            row["description"],
            row["net_minor"],
            row["tax_minor"],
            row["tax_rate_bp"],
            _read_charged_period(row),
            row["lacks_rate"],
        )
        for row in await unit.connection.fetch(_LINES, invoice_id)
    )


def _read_charged_period(row: asyncpg.Record) -> DocumentChargedPeriod | None:
    if row["kind"] is None:
        return None
    begin, end = row["period_from"], row["period_to"]
    days, quantity, price = row["cycle_days"], row["quantity"], row["unit_price_minor"]
    return DocumentChargedPeriod(
        row["kind"], row["product"], begin, end, (end - begin).days, days, quantity, price, row["meter"]
    )


async def list_credited_lines(unit: Unit, credit_note_id: UUID) -> Sequence[asyncpg.Record]:
    """The lines of a credit note, with what they take it off, and what was taken off that before."""
    rows: list[asyncpg.Record] = await unit.connection.fetch(_CREDITED, credit_note_id)
    return rows


async def sum_settled_of_invoice(unit: Unit, invoice_id: UUID, account_id: UUID, at: datetime) -> tuple[int, int]:
    """Sum what was paid and credited of an invoice by an instant."""
    return tuple(await unit.connection.fetchrow(_SETTLED, invoice_id, account_id, at))


async def is_invoice_draft(unit: Unit, document_id: UUID) -> bool:
    """Whether this is the id of an invoice that waits for approval."""
    return bool(await unit.connection.fetchval("SELECT EXISTS (SELECT FROM drafts WHERE id = $1)", document_id))


async def find_policy_version_on(unit: Unit, day: date) -> int | None:
    """Find the version of the collection policy that applies to what was recorded on a day, if any is known.

    The same rule as in collections: before the first version took effect, that one applies.
    """
    version: int | None = await unit.connection.fetchval(_POLICY_OF_DAY, day)
    return version


async def save_policy_version(unit: Unit, version: int, effective_date: date) -> None:
    """A version of the policy was published."""
    await unit.connection.execute(
        "INSERT INTO policy_versions (version, effective_date) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        version,
        effective_date,
    )
