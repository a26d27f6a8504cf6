"""Tax rates, and which of them a customer has on a day of supply."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

import asyncpg

from shared.persistence.database import Unit
from shared.pure.errors import Refusal

RATES = """
rates AS (
    SELECT legal_entity, country, tax_class, rate_bp, valid_from,
        lead(valid_from, 1, 'infinity')
            OVER (PARTITION BY legal_entity, country, tax_class ORDER BY valid_from) AS until
    FROM tax_rates
)
"""
"""The rates with the days from which and before which each is in force; for a WITH."""
_JOIN_RATES = """
LEFT JOIN rates r ON r.legal_entity = a.legal_entity AND r.country = a.country AND r.tax_class = {tax_class}
    AND r.valid_from <= {supplied_on} AND {supplied_on} < r.until
"""
RATE_OF_CUSTOMER = "CASE WHEN a.tax_status = 'standard' THEN r.rate_bp ELSE 0 END"
"""The rate of an account `a` that is joined with its rates: 0 for who is not taxed, null if no rate is in force."""


STANDARD_CLASS = "standard"
"""The class of what says none."""


class TaxedByOutsideCalculator(Refusal):
    """The outside tax calculator says the tax of the legal entity, from net amounts, and only to bill runs."""

    code = "taxed_outside"


def build_tax_rate_join(*, tax_class: str, supplied_on: str) -> str:
    """Build the join of an account `a` with the rate `r` that is in force; the arguments are expressions of SQL."""
    return _JOIN_RATES.format(tax_class=tax_class, supplied_on=supplied_on)


_RATES_OF_ACCOUNT = f"""
WITH {RATES}
SELECT n.tax_class, {RATE_OF_CUSTOMER} AS rate_bp, e.tax_calculator
FROM accounts a JOIN legal_entities e ON e.code = a.legal_entity CROSS JOIN unnest($2::text[]) AS n (tax_class)
{build_tax_rate_join(tax_class="n.tax_class", supplied_on="$3::date")}
WHERE a.id = $1
"""


async def map_customer_tax_rates(
    unit: Unit, account_id: UUID, tax_classes: Iterable[str], supplied_on: date
) -> dict[str, int | None]:
    """Get the rate (basis points) of each class for an account on a day of supply; None where none is in force.

    Raises TaxedByOutsideCalculator.
    """
    rows = await unit.connection.fetch(_RATES_OF_ACCOUNT, account_id, sorted(set(tax_classes)), supplied_on)
    if any(row["tax_calculator"] == "outside" for row in rows):
        raise TaxedByOutsideCalculator(
            "the legal entity's tax is said by the outside tax calculator, which bill runs ask"
        )
    return {row["tax_class"]: row["rate_bp"] for row in rows}


class UnknownTaxClass(Refusal):
    """The request names a class of tax for which no rate was ever set: a mistyped one would mean no tax."""

    code = "unknown_tax_class"
    status = 422


_UNKNOWN_CLASSES = """
SELECT n.tax_class FROM unnest($1::text[]) AS n (tax_class)
WHERE NOT EXISTS (SELECT FROM tax_rates r WHERE r.tax_class = n.tax_class) ORDER BY 1
"""
_IS_TAXED_OUTSIDE = "SELECT EXISTS (SELECT FROM legal_entities WHERE tax_calculator = 'outside')"


async def check_tax_classes(unit: Unit, tax_classes: Iterable[str]) -> None:
    """Refuse a class that has no rate of any legal entity. Raises UnknownTaxClass.

    The standard class is always known. Where an outside calculator is asked for a legal entity, its classes are not
    known here, and all are taken.
    """
    named = sorted(set(tax_classes) - {STANDARD_CLASS})
    unknown = await unit.connection.fetch(_UNKNOWN_CLASSES, named) if named else []
    if unknown and not await unit.connection.fetchval(_IS_TAXED_OUTSIDE):
        names = ", ".join(row["tax_class"] for row in unknown)
        raise UnknownTaxClass(f"tax_class: no rate was ever set for {names}; set one first (POST /v1/tax-rates)")


_SET = """
INSERT INTO tax_rates (legal_entity, country, tax_class, valid_from, rate_bp) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (legal_entity, country, tax_class, valid_from) DO UPDATE SET rate_bp = excluded.rate_bp
"""

_FIND = """
SELECT rate_bp FROM tax_rates WHERE (legal_entity, country, tax_class, valid_from) = ($1, $2, $3, $4)
"""


async def find_tax_rate(unit: Unit, legal_entity: str, country: str, tax_class: str, valid_from: date) -> int | None:
    """Find the rate (basis points) that is set from this very date on."""
    rate_bp: int | None = await unit.connection.fetchval(_FIND, legal_entity, country, tax_class, valid_from)
    return rate_bp


async def save_tax_rate(
    unit: Unit, *, legal_entity: str, country: str, tax_class: str, valid_from: date, rate_bp: int
) -> None:
    """Set a rate (basis points) from a date on."""
    await unit.connection.execute(_SET, legal_entity, country, tax_class, valid_from, rate_bp)


async def list_tax_rate_records(unit: Unit) -> list[asyncpg.Record]:
    """All rates, in order."""
    return await unit.connection.fetch(  # type: ignore[no-any-return]
        "SELECT * FROM tax_rates ORDER BY legal_entity, country, tax_class, valid_from"
    )
