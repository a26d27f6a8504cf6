"""The ledger over REST: trial balance, journal, closing of months."""

import csv
import io
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Query, Response
from pydantic import BaseModel

from services.invoicing.accounts.repository.legal_entity_queries import check_addressed_legal_entity
from services.invoicing.ledger.repository import ledger_queries
from shared.persistence.database import Unit
from shared.pure.fields import Code, Day, Instant, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Page, Read, Router

reads = Router(prefix="/v1/ledger", tags=["ledger"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)

COLUMNS = (
    "id",
    "posted_on",
    "posted_at",
    "legal_entity",
    "code",
    "currency",
    "amount_minor",
    "account_id",
    "document",
    "document_id",
    "event_sequence",
)
"""Of the journal, in this order for good; new ones come at the end."""
MOST = 50_000
"""Entries of one answer; `X-Next` says where to go on."""


class LedgerBalanceOut(BaseModel):
    """Balance of an account of the ledger in one currency: debit is positive, credit negative, minor units."""

    model_config = set_model_example(
        code="receivables",
        name="Receivables from customers",
        kind="asset",
        currency="EUR",
        balance_minor=4821190,
    )

    code: str
    name: str
    kind: str
    currency: str
    balance_minor: int


@reads.get("/{legal_entity}/trial-balance", summary="The trial balance at an instant")
async def get_trial_balance(
    legal_entity: Code,
    read: Read,
    at: Annotated[Instant | None, Query(description="now if left out")] = None,
) -> Page[LedgerBalanceOut]:
    """Every account of the ledger by currency; each currency adds up to 0."""

    async def load_trial_balance(unit: Unit) -> list[LedgerBalanceOut]:
        await check_addressed_legal_entity(unit, legal_entity)
        rows = await ledger_queries.compute_trial_balance(unit, legal_entity, at or unit.now)
        return [LedgerBalanceOut(**row) for row in rows]

    return Page(items=await read(load_trial_balance), next=None)


@reads.get(
    "/{legal_entity}/journal/{day}",
    summary="The journal of a day",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "the entries as CSV"}},
)
async def get_journal(
    legal_entity: Code,
    day: Day,
    read: Read,
    last_id: Annotated[int, Query(ge=0, lt=2**63, description="of the entry that was read last")] = 0,
) -> Response:
    """The entries of documents of a day (in the account's zone) as CSV with stable columns, in the order of their ids.

    Documents with an earlier date add entries to its day until the month is closed: ask again after `last_id`.
    The header `X-Next` has the id to go on after, where there are more.
    """

    async def load_journal_entries(unit: Unit) -> Sequence[asyncpg.Record]:
        await check_addressed_legal_entity(unit, legal_entity)
        return await ledger_queries.list_journal_entries(unit, legal_entity, day, last_id, MOST + 1)

    rows = await read(load_journal_entries)
    headers = {"X-Next": str(rows[MOST - 1]["id"])} if len(rows) > MOST else {}
    return Response(_csv(rows[:MOST]), media_type="text/csv", headers=headers)


def _csv(rows: Sequence[asyncpg.Record]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else str(value) if isinstance(value, UUID) else value
