"""A list is asked for what there can be, and goes on only as it began: nothing mistyped is an empty answer."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, invoice, running
from tests.component.billing_world import Billing
from tests.component.collections.test_collections import STANDARD, publish


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def code_of(client: Client, path: str, **query: Any) -> tuple[int, str | None]:
    """The status of a list, and the code of its refusal."""
    answer = await client.get(path, **query)
    return answer.status_code, answer.json().get("code")


async def test_a_cursor_is_of_one_list_with_one_set_of_filters(billing: Billing) -> None:
    client = billing.client
    owners = [(await client.create("/v1/accounts", account()))["id"] for _ in range(3)]
    first = await client.got("/v1/accounts", limit=1, legal_entity="GS-DE")
    cursor = first["next"]
    second = await client.got("/v1/accounts", limit=2, legal_entity="GS-DE", after=cursor)
    assert [row["id"] for row in [*first["items"], *second["items"]]] == sorted(owners)
    refused = (422, "bad_cursor")
    assert await code_of(client, "/v1/accounts", after=cursor) == refused
    assert await code_of(client, "/v1/accounts", after=cursor, legal_entity="GS-DE", name="A") == refused
    assert await code_of(client, "/v1/invoices", after=cursor, legal_entity="GS-DE") == refused
    assert await code_of(client, "/v1/payments", after=cursor) == refused
    plain = (await client.got("/v1/accounts", limit=1))["next"]
    assert await code_of(client, "/v1/accounts", after=plain, legal_entity="GS-DE") == refused


async def test_a_cursor_of_a_thing_is_none_of_another_thing(billing: Billing) -> None:
    runs = []
    for _ in range(2):
        runs.append((await billing.run())["id"])
    cursor = (await billing.client.got("/v1/bill-runs", limit=1))["next"]
    assert await code_of(billing.client, f"/v1/bill-runs/{runs[0]}/drafts", after=cursor) == (422, "bad_cursor")


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/invoices", "/v1/ledger-periods"])
async def test_a_legal_entity_that_there_is_not_is_refused(billing: Billing, path: str) -> None:
    assert await code_of(billing.client, path, legal_entity="GS-DF") == (422, "unknown_legal_entity")
    assert await code_of(billing.client, path, legal_entity="GS-DE") == (200, None)


async def test_an_action_that_nothing_does_is_refused(billing: Billing) -> None:
    await billing.client.create("/v1/accounts", account())
    assert await code_of(billing.client, "/v1/audit-entries", action="payment.recrod") == (422, "unknown_action")
    assert await code_of(billing.client, "/v1/audit-entries", action="payment.record") == (200, None)
    entries = await billing.client.got("/v1/audit-entries", action="account.register")
    assert len(entries["items"]) == 1


async def test_a_step_that_no_policy_has_is_refused(database: Database, keys: SigningKeyPair, jwks_file: Path) -> None:
    async with running("collections", database, keys, jwks_file) as (_, client):
        await publish(client, STANDARD)
        assert await code_of(client, "/v1/late-accounts", step="suspnd") == (422, "unknown_step")
        assert await code_of(client, "/v1/late-accounts", step="suspend") == (200, None)


async def test_a_class_of_tax_without_any_rate_is_refused(billing: Billing) -> None:
    client = billing.client
    owner = (await client.create("/v1/accounts", account(country="DE")))["id"]
    body = invoice(owner, 10_700)
    body["lines"][0]["tax_class"] = "redcued"
    refused = await client.post("/v1/invoices", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_tax_class")
    assert (await client.got("/v1/invoices"))["items"] == []
    await billing.rate(700, tax_class="reduced")
    body["lines"][0]["tax_class"] = "reduced"
    issued = await client.create("/v1/invoices", body)
    line = (await client.got(f"/v1/invoices/{issued['id']}"))["lines"][0]
    assert (line["tax_minor"], line["tax_rate_bp"]) == (700, 700)
