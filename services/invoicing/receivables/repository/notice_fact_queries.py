"""Invoices and subscriptions as notices to their customer state them."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.persistence.database import Unit

_INVOICES = """
SELECT id AS invoice_id, number, currency, due_date, total_minor FROM invoices
WHERE id = ANY($1::uuid[]) AND account_id = $2 ORDER BY number
"""
_SUPPLIES = """
SELECT l.invoice_id, coalesce(s.product, l.description) AS text,
    CASE WHEN c.kind <> 'setup' THEN c.period_from END AS period_from,
    CASE WHEN c.kind <> 'setup' THEN c.period_to END AS period_to
FROM invoice_lines l LEFT JOIN charges c ON c.id = l.charge_id LEFT JOIN subscriptions s ON s.id = c.subscription_id
WHERE l.invoice_id = ANY($1::uuid[])
GROUP BY 1, 2, 3, 4 ORDER BY l.invoice_id, min(l.line)
"""
_SUBSCRIPTIONS = """
SELECT s.id AS subscription_id, coalesce(p.name, s.product) AS product
FROM subscriptions s LEFT JOIN terms t ON t.subscription_id = s.id LEFT JOIN plans p ON p.id = t.plan_id
WHERE s.id = ANY($1::uuid[]) AND s.account_id = $2 ORDER BY product, s.id
"""


async def list_invoices_for_notice(unit: Unit, account_id: UUID, invoice_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """List those of these invoices that are the account's, by number."""
    return await unit.connection.fetch(_INVOICES, list(invoice_ids), account_id)  # type: ignore[no-any-return]


async def list_supplies_for_notice(unit: Unit, invoice_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """List what these invoices are for: each product and period once, in the order of the lines."""
    return await unit.connection.fetch(_SUPPLIES, list(invoice_ids))  # type: ignore[no-any-return]


async def list_subscriptions_for_notice(
    unit: Unit, account_id: UUID, subscription_ids: Sequence[UUID]
) -> list[asyncpg.Record]:
    """List those of these subscriptions that are the account's, with the product that each is of now."""
    return await unit.connection.fetch(_SUBSCRIPTIONS, list(subscription_ids), account_id)  # type: ignore[no-any-return]
