"""Accounts are found by what people know of them: a name, an e-mail, a reference, a vendor's id, a legal entity."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, running


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        yield client


async def register(client: Client, name: str, **more: Any) -> None:
    """Register an account whose other fields follow from its name."""
    await client.create("/v1/accounts", account(name=name, billing_email=f"Office@{name[:3]}.example", **more))


async def find_names(client: Client, **criteria: str) -> list[str]:
    """List the names of the accounts that are found."""
    return [item["name"] for item in (await client.got("/v1/accounts", **criteria))["items"]]


async def test_each_criterion_finds_what_it_says(client: Client) -> None:
    await register(client, "Äpfel und Birnen", external_reference="crm-1", vendor_customer_ids=["tenant-1", "tenant-2"])
    await register(client, "Account 100%", external_reference="crm-2", legal_entity="GS-AT")
    await register(client, "Account 1000", vendor_customer_ids=["tenant-3"])
    assert await find_names(client) == ["Äpfel und Birnen", "Account 100%", "Account 1000"]
    assert await find_names(client, name="äpfel") == ["Äpfel und Birnen"]
    assert await find_names(client, name="ACCOUNT 100") == ["Account 100%", "Account 1000"]
    assert await find_names(client, name="account 100%") == ["Account 100%"]
    assert await find_names(client, name="birnen") == []
    assert await find_names(client, email="office@acc.EXAMPLE") == ["Account 100%", "Account 1000"]
    assert await find_names(client, external_reference="crm-1") == ["Äpfel und Birnen"]
    assert await find_names(client, vendor_customer_id="tenant-2") == ["Äpfel und Birnen"]
    assert await find_names(client, legal_entity="GS-AT") == ["Account 100%"]
    assert await find_names(client, name="account", legal_entity="GS-DE") == ["Account 1000"]


async def test_pages_go_on_where_the_one_before_ended(client: Client) -> None:
    for number in range(3):
        await register(client, f"Account {number}")
    page = await client.got("/v1/accounts", name="account", limit=2)
    rest = await client.got("/v1/accounts", name="account", limit=2, after=page["next"])
    names = [item["name"] for item in page["items"] + rest["items"]]
    assert (names, rest["next"]) == (["Account 0", "Account 1", "Account 2"], None)
