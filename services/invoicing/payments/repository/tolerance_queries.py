"""Queries of tolerances."""

import asyncpg

from shared.persistence.database import Unit


async def map_payment_tolerances(unit: Unit) -> dict[tuple[str, str], int]:
    """Map legal entity and currency to what a payment may leave open and still settle an invoice; minor units."""
    rows = await unit.connection.fetch("SELECT legal_entity, currency, amount_minor FROM tolerances")
    return {(legal_entity, currency): amount for legal_entity, currency, amount in rows}


async def list_payment_tolerances(unit: Unit) -> list[asyncpg.Record]:
    """All tolerances, in the order of entity and currency."""
    rows: list[asyncpg.Record] = await unit.connection.fetch(
        "SELECT legal_entity, currency, amount_minor, set_by, reason, set_at FROM tolerances ORDER BY 1, 2"
    )
    return rows


async def find_payment_tolerance(unit: Unit, legal_entity: str, currency: str) -> asyncpg.Record | None:
    """Find what a payment may leave open (amount_minor) and why (reason)."""
    return await unit.connection.fetchrow(_FIND_TOLERANCE, legal_entity, currency)


_FIND_TOLERANCE = "SELECT amount_minor, reason FROM tolerances WHERE (legal_entity, currency) = ($1, $2)"
_SET_TOLERANCE = """
INSERT INTO tolerances (legal_entity, currency, amount_minor, set_by, reason, set_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (legal_entity, currency) DO UPDATE
SET amount_minor = excluded.amount_minor, set_by = excluded.set_by, reason = excluded.reason, set_at = excluded.set_at
"""


async def save_payment_tolerance(
    unit: Unit, legal_entity: str, currency: str, amount_minor: int, actor: str, reason: str
) -> None:
    """Say what a payment may leave open."""
    await unit.connection.execute(_SET_TOLERANCE, legal_entity, currency, amount_minor, actor, reason, unit.now)
