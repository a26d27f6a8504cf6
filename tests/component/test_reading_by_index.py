"""What a unit reads of accounts it finds by index, however many others there are."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.collections import jobs as collections
from services.collections.repository import facts, suspensions
from services.invoicing import jobs as invoicing
from services.invoicing.repository import invoices
from shared import streams
from shared.jobs import Sweep
from tests.builders import Database

SOME = [uuid4(), uuid4()]
NOW = datetime(2026, 3, 2, tzinfo=UTC)


async def read_whole(database: Database, service: str, query: str, *arguments: object) -> set[str]:
    """The tables that a query reads from one end to the other, since no index serves it."""
    async with database.connected(service) as connection:
        await connection.execute("SET enable_seqscan = off")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *arguments))
    return set(re.findall(r"Seq Scan on (\w+)", plan))


@pytest.mark.parametrize(
    "name", ["ACCOUNTS", "BALANCES", "DEFERRALS", "ITEMS", "OVERDUES", "PROMISES", "STEPS", "SUSPENSIONS"]
)
async def test_the_facts_of_accounts(database: Database, name: str) -> None:
    query = getattr(facts, f"_{name}")
    arguments = [SOME] * len(set(re.findall(r"\$\d", query)))
    assert await read_whole(database, "collections", query, *arguments) == set()


async def test_the_suspensions_of_accounts(database: Database) -> None:
    query = f"{suspensions._SUSPENSIONS} WHERE account_id = ANY($1::uuid[]) AND state IN ('requested', 'effective')"
    assert await read_whole(database, "collections", query, SOME) == set()
    assert await read_whole(database, "collections", suspensions._CAUSES, SOME) == set()


async def test_the_open_and_the_due_invoices_of_accounts(database: Database) -> None:
    assert await read_whole(database, "invoicing", invoices._OPEN, SOME, SOME) == set()
    assert await read_whole(database, "invoicing", invoices._DUE, SOME, NOW) == set()


@pytest.mark.parametrize("sweep", [*collections.SWEEPS, *invoicing.SWEEPS], ids=lambda sweep: sweep.name)
async def test_what_is_due(database: Database, sweep: Sweep) -> None:
    service = "collections" if sweep in collections.SWEEPS else "invoicing"
    found = await read_whole(database, service, streams._CLAIM.format(due=sweep.due), NOW, 10, 40)
    assert found <= {"bill_runs"}, "one row a run"
