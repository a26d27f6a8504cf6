"""Exchange rates: each pair of currencies once for a source and a date."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg

from services.invoicing.exposure.domain import ExchangeRate
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.pure.ids import new_id

_PUT = """
WITH given AS (
    SELECT * FROM unnest($6::uuid[], $7::text[], $8::numeric[]) AS g (id, quote, rate)
), put AS (
    INSERT INTO exchange_rates (id, source, rate_date, base, quote, rate, set_by, set_at)
    SELECT id, $1, $2, $3, quote, rate, $4, $5 FROM given ORDER BY quote
    ON CONFLICT (rate_date, source, base, quote) DO UPDATE
        SET rate = excluded.rate, set_by = excluded.set_by, set_at = excluded.set_at
        WHERE exchange_rates.rate <> excluded.rate
    RETURNING id
)
SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS replaced
FROM (SELECT id IN (SELECT id FROM given) AS is_new FROM put) AS put
"""
_LISTED = """
SELECT id, source, rate_date AS date, base, quote, rate, set_by, set_at FROM exchange_rates
WHERE ($1::date IS NULL OR rate_date = $1) AND ($2::text IS NULL OR base = $2) AND ($3::uuid IS NULL OR id > $3)
ORDER BY id LIMIT $4
"""
_SAID = """
SELECT quote, rate FROM exchange_rates
WHERE (rate_date, source, base) = ($2, $1, $3) AND quote = ANY($4::text[]) ORDER BY quote
"""
_QUOTED = """
SELECT base, quote, rate, rate_date, source FROM exchange_rates
WHERE quote = ANY($1::text[]) AND rate_date <= $2 AND ($3::date IS NULL OR rate_date >= $3)
"""


async def map_exchange_rates(
    unit: Unit, source: str, day: date, base: str, quotes: Collection[str]
) -> dict[str, Decimal]:
    """List what a source says of a date, by quote."""
    rows = await unit.connection.fetch(_SAID, source, day, base, list(quotes))
    return {row["quote"]: row["rate"] for row in rows}


async def save_exchange_rates(
    unit: Unit, source: str, day: date, base: str, rates: Mapping[str, Decimal], actor: str
) -> tuple[int, int]:
    """Set what a source says of a date, by quote; how many rates are new, and how many took the place of others."""
    rows = [(new_id(), quote, rate) for quote, rate in rates.items()]
    counts = await unit.connection.fetchrow(_PUT, source, day, base, actor, unit.now, *split_into_columns(rows, 3))
    return counts["new"], counts["replaced"]


async def list_exchange_rate_records(
    unit: Unit, day: date | None, base: str | None, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Rates in the order in which they came in, of a date and a base if those are said."""
    return await unit.connection.fetch(_LISTED, day, base, after, limit)  # type: ignore[no-any-return]


async def list_exchange_rates_of(
    unit: Unit, quotes: Collection[str], until: date, since: date | None
) -> list[ExchangeRate]:
    """All rates of these quotes on days until `until`, inclusive, and from `since` on if it is said."""
    return [ExchangeRate(*row) for row in await unit.connection.fetch(_QUOTED, list(quotes), until, since)]
