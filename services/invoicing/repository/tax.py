"""Tax rates."""

from datetime import date

import asyncpg

from shared.database import Unit

_SET = """
INSERT INTO tax_rates (legal_entity, country, tax_class, valid_from, rate_bp) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (legal_entity, country, tax_class, valid_from) DO UPDATE SET rate_bp = excluded.rate_bp
"""

_FIND = """
SELECT rate_bp FROM tax_rates WHERE (legal_entity, country, tax_class, valid_from) = ($1, $2, $3, $4)
"""


async def find_rate(unit: Unit, legal_entity: str, country: str, tax_class: str, valid_from: date) -> int | None:
    """Find the rate (basis points) that is set from this very date on."""
    rate_bp: int | None = await unit.connection.fetchval(_FIND, legal_entity, country, tax_class, valid_from)
    return rate_bp


async def set_rate(
    unit: Unit, *, legal_entity: str, country: str, tax_class: str, valid_from: date, rate_bp: int
) -> None:
    """Set a rate (basis points) from a date on."""
    await unit.connection.execute(_SET, legal_entity, country, tax_class, valid_from, rate_bp)


async def rates(unit: Unit) -> list[asyncpg.Record]:
    """All rates, in order."""
    return await unit.connection.fetch(  # type: ignore[no-any-return]
        "SELECT * FROM tax_rates ORDER BY legal_entity, country, tax_class, valid_from"
    )
