"""Imports of bank statements by what people ask for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from services.invoicing.bank.tables import BankImportRow
from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query
from shared.pure.errors import NotFound

StatementFormat = Literal["camt.053", "csv"]

_IMPORTS = """
SELECT id, format, closing_date, certain, unmatched, kept, repeated, imported_by, imported_at FROM bank_imports
"""


@dataclass(frozen=True, slots=True)
class BankImportSearchCriteria:
    """Criteria of the imports that are wanted; None is any. `since` is inclusive."""

    format: StatementFormat | None = None
    since: datetime | None = None


def build_bank_import_search(
    criteria: BankImportSearchCriteria, after: UUID | None, limit: int
) -> tuple[str, list[Any]]:
    """Build the query of a page, the newest first, and its arguments."""
    conditions = (("format = {}", criteria.format), ("imported_at >= {}", criteria.since), ("id < {}", after))
    return build_list_query(_IMPORTS, conditions, "id DESC", limit)


async def search_bank_imports(
    unit: Unit, criteria: BankImportSearchCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Find imports, the newest first, made before this one."""
    query, arguments = build_bank_import_search(criteria, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def get_bank_import_row(unit: Unit, import_id: UUID) -> BankImportRow:
    """Get an import. Raises NotFound."""
    row = await unit.session.get(BankImportRow, import_id)
    if row is None:
        raise NotFound(f"there is no import {import_id}")
    return row
