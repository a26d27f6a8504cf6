"""Our legal entities as their documents name them."""

from typing import Any

import asyncpg

from services.invoicing.accounts.tables.legal_entity_tables import LegalEntityRow
from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query
from shared.pure.errors import NotFound, Refusal

NO_DATA_VERSION = 0
"""The version of a legal entity that exists and of which nothing is said yet."""


class UnknownLegalEntity(Refusal):
    """The request names a legal entity that does not exist."""

    code = "unknown_legal_entity"
    status = 422


async def find_legal_entity(unit: Unit, code: str) -> LegalEntityRow | None:
    """The data of a legal entity, if there are any; locked by nobody."""
    row = await unit.session.get(LegalEntityRow, code)
    return row if row and row.version > NO_DATA_VERSION else None


async def get_legal_entity_row(unit: Unit, code: str) -> LegalEntityRow:
    """The data of a legal entity. Raises NotFound."""
    row = await find_legal_entity(unit, code)
    if row is None:
        raise NotFound(f"nothing is known of a legal entity {code}")
    return row


async def has_legal_entity(unit: Unit, code: str) -> bool:
    """Say whether a legal entity exists, with data or without."""
    return bool(await unit.connection.fetchval("SELECT EXISTS (SELECT FROM legal_entities WHERE code = $1)", code))


async def check_listed_legal_entity(unit: Unit, code: str | None) -> None:
    """Refuse a list of what belongs to a legal entity that there is not. Raises UnknownLegalEntity."""
    if code is not None:
        await check_legal_entity(unit, code)


async def check_legal_entity(unit: Unit, code: str) -> None:
    """Refuse a code that a request names and that is no legal entity's. Raises UnknownLegalEntity."""
    if not await has_legal_entity(unit, code):
        raise UnknownLegalEntity(f"there is no legal entity {code}")


async def check_addressed_legal_entity(unit: Unit, code: str) -> None:
    """Refuse a code that a path names and that is no legal entity's. Raises NotFound."""
    if not await has_legal_entity(unit, code):
        raise NotFound(f"there is no legal entity {code}")


async def lock_entity_against_postings(unit: Unit, code: str) -> None:
    """Wait for those that post into a past month, and let none begin until the unit ends. Raises NotFound."""
    if (
        await unit.connection.fetchval("SELECT code FROM legal_entities WHERE code = $1 FOR NO KEY UPDATE", code)
        is None
    ):
        raise NotFound(f"there is no legal entity {code}")


async def keep_entity_months_open(unit: Unit, *codes: str) -> None:
    """Let no month of these legal entities close until the unit ends; many post at once."""
    await unit.connection.execute(
        "SELECT FROM legal_entities WHERE code = ANY($1::text[]) ORDER BY code FOR SHARE", codes
    )


_LISTED = """
SELECT e.code, nullif(e.name, '') AS name, e.country, e.tax_calculator, e.sends_documents,
    coalesce(s.is_required, true) AS second_person_required, e.version
FROM legal_entities e LEFT JOIN second_person_rules s ON s.legal_entity = e.code
"""


def build_legal_entity_list(after: str | None, limit: int) -> tuple[str, list[Any]]:
    """Build the query of a page of legal entities in the order of their codes, and its arguments."""
    return build_list_query(_LISTED, (("e.code > {}", after),), "e.code", limit)


async def list_legal_entities(unit: Unit, after: str | None, limit: int) -> list[asyncpg.Record]:
    """List the legal entities, with data or without, in the order of their codes, after this one."""
    query, arguments = build_legal_entity_list(after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]
