"""Imports of bank statements as a list, and one of them with what became of its entries."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

import asyncpg
from fastapi import Query
from pydantic import BaseModel, Field

from services.invoicing.bank.api.bank_import_routes import ImportOut
from services.invoicing.bank.repository.bank_import_search import (
    BankImportSearchCriteria,
    StatementFormat,
    get_bank_import_row,
    search_bank_imports,
)
from shared.persistence.database import Unit
from shared.pure.fields import Instant, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Page, Paging, Read, Router

reads = Router(prefix="/v1/bank-imports", tags=["bank"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)


class ListedImportOut(BaseModel):
    """An imported file; `entries` by outcome at the import."""

    model_config = set_model_example(
        id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b7",
        format="camt.053",
        closing_date="2026-03-30",
        imported_by="finance",
        imported_at="2026-03-31T06:00:00Z",
        entries={"certain": 41, "unmatched": 3, "kept": 2, "repeated": 0},
    )

    id: UUID
    format: StatementFormat
    closing_date: date | None = Field(description="of the newest statement in it")
    imported_by: str
    imported_at: datetime
    entries: dict[str, int] = Field(description="certain, unmatched, kept; repeated ones were taken before")

    @classmethod
    def from_bank_import_row(cls, row: asyncpg.Record) -> Self:
        """Build the answer for a row."""
        entries = {outcome: row[outcome] for outcome in ("certain", "unmatched", "kept", "repeated")}
        return cls.model_validate({**row, "entries": entries})


@reads.get("", summary="List imports of bank statements")
async def list_bank_imports(
    read: Read,
    paging: Paging,
    format: Annotated[StatementFormat | None, Query()] = None,
    since: Annotated[Instant | None, Query(description="imported then or later")] = None,
) -> Page[ListedImportOut]:
    """Files that were imported, the newest first."""
    criteria, after = BankImportSearchCriteria(format, since), paging.get_last_id()
    rows = await read(lambda unit: search_bank_imports(unit, criteria, after, paging.limit + 1))
    return paging.page([ListedImportOut.from_bank_import_row(row) for row in rows], key=lambda imported: imported.id)


@reads.get("/{import_id}", summary="One import of a bank statement")
async def get_bank_import(import_id: UUID, read: Read) -> ImportOut:
    """An import and what became of its entries; and until when the payments into all accounts are known."""

    async def load_bank_import(unit: Unit) -> ImportOut:
        return await ImportOut.from_bank_import_row(unit, await get_bank_import_row(unit, import_id))

    return await read(load_bank_import)
