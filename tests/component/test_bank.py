"""Bank statements on real Postgres, over REST: each entry once, what is certain is booked, the rest waits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.local.tokens import Keys
from shared.events.invoicing import BankStatementImported
from shared.runtime import Runtime
from tests.builders import Client, Database, account, invoice, running, sweep
from tests.component.bank_statements import Paid, camt, imported, send

UNTOUCHED = "SELECT count(*) FROM invoicing.payments"


@dataclass
class Bank:
    """Invoicing, and what a test asks of it."""

    runtime: Runtime
    client: Client
    database: Database

    async def owes(self, *amounts: int, **more: Any) -> tuple[str, list[dict[str, Any]]]:
        """A new account with an invoice for each amount."""
        owner = str((await self.client.made("/v1/accounts", account(**more)))["id"])
        currency = {"currency": more["currency"]} if "currency" in more else {}
        bodies = [invoice(owner, amount) for amount in amounts]
        for body in bodies:
            for line in body["lines"]:
                line["amount"] |= currency
        return owner, [await self.client.made("/v1/invoices", body) for body in bodies]

    async def take(self, *entries: Paid | str, **more: str) -> dict[str, Any]:
        """Import a statement, and let what is certain be booked; the import as it is then."""
        made = await imported(self.client, camt(entries, **more))
        await sweep(self.runtime)
        return await self.client.got("/v1/bank-imports/latest") | {"id": made["id"]}

    async def entries(self, **which: Any) -> list[dict[str, Any]]:
        """The entries of the first page."""
        return list((await self.client.got("/v1/bank-entries", **which))["items"])

    async def open(self, issued: dict[str, Any]) -> int:
        """What is open of an invoice."""
        return int((await self.client.got(f"/v1/invoices/{issued['id']}/balance"))["open_minor"])

    async def payments(self) -> int:
        """How many payments there are."""
        return int(await self.database.value(UNTOUCHED))


@pytest.fixture
async def bank(database: Database, keys: Keys, jwks_file: Path) -> AsyncIterator[Bank]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Bank(runtime, client, database)


@pytest.mark.parametrize("version", ["02", "08", "13"])
async def test_an_entry_that_names_an_open_invoice_is_booked(bank: Bank, version: str) -> None:
    owner, (issued,) = await bank.owes(25_200)
    latest = await bank.take(Paid(f"Rechnung {issued['number']} danke", 25_200), version=version)
    assert latest["states"] == {"booked": 1}
    assert latest["closing_date"] == "2026-03-30"
    assert await bank.open(issued) == 0
    (entry,) = await bank.entries(state="booked")
    assert (entry["account_id"], entry["invoice_id"]) == (owner, issued["id"])
    payment = await bank.client.got(f"/v1/payments/{entry['payment_id']}")
    assert (payment["amount_minor"], payment["unapplied_minor"]) == (25_200, 0)
    assert payment["reference"] == f"bank entry {entry['id']}"
