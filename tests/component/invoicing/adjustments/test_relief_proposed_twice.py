"""Credits, write-offs and refunds that are proposed twice for the same thing: one of them waits, not both."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, invoice, running
from tests.component.invoicing.adjustments.test_relief import credit_body, pay


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    """Invoicing, where nobody has a limit."""
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        body = {"amount_minor": 10**6, "reason": "the board"}
        await client.http.put("/v1/approval-limits/lead/EUR", json=body, headers=client.headers)
        yield client


async def post_twice(client: Client, path: str, first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Propose the first, see the second refused, and get the first one's id."""
    proposed = await client.create(path, first)
    refused = await client.post(path, second)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_proposed")
    assert refused.json()["approval_id"] == proposed["id"]
    return proposed


async def test_a_line_is_not_proposed_to_be_credited_twice(client: Client) -> None:
    owner = str((await client.create("/v1/accounts", account()))["id"])
    issued = (await client.create("/v1/invoices", invoice(owner, 1000, 500)))["id"]
    first = await post_twice(
        client, "/v1/credit-notes", credit_body(issued, (1, 300)), credit_body(issued, (2, 100), (1, 200))
    )
    assert (await client.create("/v1/credit-notes", credit_body(issued, (2, 100))))["state"] == "proposed"
    lead = client.somebody("lead", "lead")
    assert (await lead.post("/v1/credit-notes", credit_body(issued, (1, 1)))).json()["code"] == "already_proposed"
    await lead.create(f"/v1/approvals/{first['id']}:decline", {"reason": "no"})
    assert (await client.create("/v1/credit-notes", credit_body(issued, (1, 300))))["state"] == "proposed"


async def test_an_invoice_is_not_proposed_to_be_written_off_twice(client: Client) -> None:
    owner = str((await client.create("/v1/accounts", account()))["id"])
    first, second = [(await client.create("/v1/invoices", invoice(owner, 1000)))["id"] for _ in range(2)]
    body = {"invoice_id": first, "reason_code": "insolvency", "reason": "filed"}
    await post_twice(client, "/v1/write-offs", body, body | {"reason_code": "settlement"})
    assert (await client.create("/v1/write-offs", body | {"invoice_id": second}))["state"] == "proposed"
    assert (await client.create("/v1/credit-notes", credit_body(first, (1, 300))))["state"] == "proposed"


async def test_a_refund_is_not_proposed_twice(client: Client) -> None:
    """30.00 are unapplied, of which 12.50 are proposed once; 10.00 are another refund."""
    owner = str((await client.create("/v1/accounts", account()))["id"])
    await pay(client, owner, 3_000)
    body = {"account_id": owner, "reason_code": "overpayment", "reason": "asked for"}
    amount = {"amount": {"amount_minor": 1_250, "currency": "EUR"}}
    first = await post_twice(client, "/v1/refunds", body | amount, body | amount)
    other = {"amount": {"amount_minor": 1_000, "currency": "EUR"}}
    assert (await client.create("/v1/refunds", body | other))["state"] == "proposed"
    await client.somebody("lead", "lead").create(f"/v1/approvals/{first['id']}:approve", {"reason": "right"})
    assert (await client.post("/v1/refunds", body | amount)).json()["code"] == "amount_refused"
