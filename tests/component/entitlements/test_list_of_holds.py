"""Holds are listed over all subscriptions, as people ask for them."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.process.runtime import Runtime
from tests.builders import Client, Database, build_activated, hear, running


@pytest.fixture
async def service(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[tuple[Runtime, Client]]:
    async with running("entitlements", database, keys, jwks_file) as pair:
        yield pair


async def place(client: Client, subscription_id: UUID, reason: str) -> str:
    """Place a hold; its id."""
    body = {"subscription_id": str(subscription_id), "reason": reason, "owner": "team", "comment": "as agreed"}
    return str((await client.create("/v1/holds", body))["hold_id"])


async def list_ids(client: Client, query: str = "") -> list[str]:
    """List the ids of the holds that a query finds."""
    return [item["hold_id"] for item in (await client.got(f"/v1/holds?{query}"))["items"]]


async def test_holds_are_found_by_state_reason_account_and_subscription(service: tuple[Runtime, Client]) -> None:
    runtime, client = service
    first, second = build_activated(uuid4(), uuid4(), "vendor-1"), build_activated(uuid4(), uuid4(), "vendor-2")
    for bought in (first, second):
        await hear(runtime, bought)
    fraud = await place(client, first.subscription_id, "fraud")
    admin = await place(client, first.subscription_id, "admin")
    other = await place(client, second.subscription_id, "admin")
    await client.create(f"/v1/holds/{admin}:release", {"reason": "looked at"})
    assert await list_ids(client) == [fraud, admin, other]
    assert await list_ids(client, "state=standing") == [fraud, other]
    assert await list_ids(client, "state=released") == [admin]
    assert await list_ids(client, "reason=admin&state=standing") == [other]
    assert await list_ids(client, f"account_id={first.account_id}") == [fraud, admin]
    assert await list_ids(client, f"subscription_id={second.subscription_id}") == [other]
    page = await client.got("/v1/holds?limit=2")
    assert await list_ids(client, f"limit=2&after={page['next']}") == [other]
    (hold,) = (await client.got("/v1/holds?reason=fraud"))["items"]
    assert (hold["account_id"], hold["owner"], hold["released_at"]) == (str(first.account_id), "team", None)
    assert (hold["suspension_id"], hold["invoice_ids"], hold["effective_at"]) == (None, [], None)
    for query in ("state=open", "reason=rain", "account_id=17"):
        assert (await client.get(f"/v1/holds?{query}")).status_code == 422, query
