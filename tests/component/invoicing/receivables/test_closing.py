"""Who hears that an invoice is closed hears by what: money, a credit note or a write-off."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, eur, invoice, running
from tests.component.invoicing.adjustments.test_relief import credit, limit


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        await limit(client, 5000)
        yield client


async def issue(client: Client) -> dict[str, Any]:
    """Issue an invoice of 10.00 to a new account."""
    owner = (await client.create("/v1/accounts", account()))["id"]
    return await client.create("/v1/invoices", invoice(owner, 1000))


async def list_closings(database: Database, issued: dict[str, Any]) -> list[tuple[str, str | None]]:
    """List the events that close an invoice, in order, with what they say it was by."""
    rows = await database.rows(
        "SELECT type, data FROM invoicing.outbox WHERE subject = $1 AND type ~ 'Invoice(Paid|Credited|Closed)'"
        " ORDER BY position",
        str(UUID(issued["account_id"])),
    )
    return [(row["type"].split(".")[-2], orjson.loads(row["data"]).get("closed_by")) for row in rows]


async def pay(client: Client, issued: dict[str, Any], amount: int) -> dict[str, Any]:
    """Pay a part of an invoice."""
    body = {"account_id": issued["account_id"], "amount": eur(amount), "invoice_id": issued["id"]}
    return await client.create("/v1/payments", body)


async def test_money_closes_it_as_paid_each_time_that_it_does(client: Client, database: Database) -> None:
    issued = await issue(client)
    await pay(client, issued, 400)
    assert await list_closings(database, issued) == []
    payment = await pay(client, issued, 600)
    closing = [("InvoicePaid", None), ("InvoiceClosed", "payment")]
    assert await list_closings(database, issued) == closing
    await client.post(f"/v1/payments/{payment['id']}:reverse", {"reason": "returned"})
    await pay(client, issued, 600)
    assert await list_closings(database, issued) == closing * 2


async def test_a_credit_note_closes_it_as_credited_though_some_was_paid(client: Client, database: Database) -> None:
    issued = await issue(client)
    await pay(client, issued, 400)
    await credit(client, issued["id"], (1, 600))
    assert await list_closings(database, issued) == [("InvoiceCredited", None), ("InvoiceClosed", "credit_note")]


async def test_a_write_off_closes_it_neither_as_paid_nor_as_credited(client: Client, database: Database) -> None:
    issued = await issue(client)
    body = {"invoice_id": issued["id"], "reason_code": "insolvency", "reason": "filed"}
    await client.create("/v1/write-offs", body)
    assert await list_closings(database, issued) == [("InvoiceClosed", "write_off")]


async def test_balances_name_the_ids_of_which_there_is_no_invoice(client: Client) -> None:
    issued, missing = await issue(client), str(uuid4())
    body = {"invoice_ids": [missing, issued["id"]]}
    answer = (await client.http.post("/v1/balances:batch", json=body, headers=client.headers)).json()
    assert ([balance["invoice_id"] for balance in answer["balances"]], answer["unknown"]) == ([issued["id"]], [missing])
