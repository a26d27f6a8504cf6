"""Refunds, write-offs and bank imports are listed, as people ask for them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, eur, invoice, running
from tests.component.bank_statements import Paid, build_camt_statement, import_statement
from tests.component.billing_world import Billing
from tests.component.setting_requests import put_by_two


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def list_amounts(client: Client, path: str) -> list[int]:
    """List the amounts of what a query finds."""
    return [item["amount_minor"] for item in (await client.got(path))["items"]]


async def test_refunds_and_write_offs_are_found_by_state_account_and_time(billing: Billing) -> None:
    """Refunds of 3.00, of 4.00 an hour later, and of 5.00 of another account; a write-off of 10.00."""
    client = billing.client
    await billing.database.move(datetime(2026, 3, 2, 9, tzinfo=UTC))
    owner, other = [(await client.create("/v1/accounts", account()))["id"] for _ in range(2)]
    for account_id in (owner, other):
        await client.create("/v1/payments", {"account_id": account_id, "amount": eur(2000)})
    refund = {"reason_code": "overpayment", "reason": "asked for by letter"}
    first = await client.create("/v1/refunds", {"account_id": owner, "amount": eur(300), **refund})
    await billing.database.move(datetime(2026, 3, 2, 10, tzinfo=UTC))
    await client.create("/v1/refunds", {"account_id": owner, "amount": eur(400), **refund})
    await client.create("/v1/refunds", {"account_id": other, "amount": eur(500), **refund})
    third = (await client.create("/v1/accounts", account()))["id"]
    bad = (await client.create("/v1/invoices", invoice(third, 1000)))["id"]
    lost = {"invoice_id": bad, "reason_code": "insolvency", "reason": "closed"}
    await client.create("/v1/write-offs", lost)
    limit = {"amount_minor": 1000, "reason": "the board"}
    await put_by_two(client, "/v1/approval-limits/lead/EUR", limit)
    lead = client.somebody("lead", "lead")
    await lead.create(f"/v1/approvals/{first['id']}:decline", {"reason": "not theirs"})
    assert await list_amounts(client, "/v1/refunds") == [300, 400, 500]
    assert await list_amounts(client, "/v1/refunds?state=declined") == [300]
    assert await list_amounts(client, f"/v1/refunds?state=proposed&account_id={owner}") == [400]
    assert await list_amounts(client, f"/v1/refunds?since={quote('2026-03-02T10:00:00Z')}") == [400, 500]
    assert await list_amounts(client, f"/v1/refunds?account_id={third}") == []
    assert await list_amounts(client, "/v1/write-offs") == [1000]
    assert await list_amounts(client, "/v1/write-offs?state=carried_out") == []
    page = await client.got("/v1/refunds?limit=2")
    assert await list_amounts(client, f"/v1/refunds?limit=2&after={page['next']}") == [500]
    for query in ("state=paid", "since=today", "account_id=17"):
        assert (await client.get(f"/v1/write-offs?{query}")).status_code == 422, query


async def test_bank_imports_are_listed_the_newest_first_and_one_is_read(billing: Billing) -> None:
    client = billing.client
    await billing.database.move(datetime(2026, 3, 30, 9, tzinfo=UTC))
    older = await import_statement(client, build_camt_statement([Paid("nobody knows", 100)]))
    await billing.database.move(datetime(2026, 3, 31, 9, tzinfo=UTC))
    newer = await import_statement(
        client, build_camt_statement([Paid("nobody knows", 200), Paid("nor this", 300)], day="2026-03-31")
    )
    page = await client.got("/v1/bank-imports?limit=1")
    assert [item["id"] for item in page["items"]] == [newer["id"]]
    rest = (await client.got(f"/v1/bank-imports?limit=1&after={page['next']}"))["items"]
    assert [item["id"] for item in rest] == [older["id"]]
    assert page["items"][0]["entries"] == {"certain": 0, "unmatched": 2, "kept": 0, "repeated": 0}
    assert (rest[0]["imported_at"], rest[0]["format"]) == ("2026-03-30T09:00:00Z", "camt.053")
    since = quote("2026-03-31T00:00:00Z")
    assert [item["id"] for item in (await client.got(f"/v1/bank-imports?since={since}"))["items"]] == [newer["id"]]
    assert (await client.got("/v1/bank-imports?format=csv"))["items"] == []
    assert (await client.got(f"/v1/bank-imports/{older['id']}"))["states"] == {"unmatched": 1}
    assert (await client.get(f"/v1/bank-imports/{uuid4()}")).status_code == 404
    assert (await client.get("/v1/bank-imports?format=pdf")).status_code == 422
