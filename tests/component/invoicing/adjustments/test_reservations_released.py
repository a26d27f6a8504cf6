"""Only escalation reserves for disputes; people release what is reserved, unless somebody upholds it."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, eur, invoice, running
from tests.component.relief_requests import set_limit

RESERVE, WHY = "/v1/reservations", {"reason": "there is no such dispute"}


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    """Invoicing, in which operators may give 5.00."""
    async with running("invoicing", database, keys, jwks_file) as (_, caller):
        await set_limit(caller, 500)
        yield caller


async def reserve(client: Client, minor: int = 400) -> dict[str, Any]:
    """Reserve an amount of an invoice of 10.00, of which 6.00 are paid."""
    owner = (await client.create("/v1/accounts", account()))["id"]
    issued = (await client.create("/v1/invoices", invoice(owner, 1_000)))["id"]
    lines = [{"line": 1, "amount_minor": minor}]
    body = {"dispute_id": str(uuid4()), "invoice_id": issued, "lines": lines}
    await client.create(RESERVE, body)
    await client.create("/v1/payments", {"account_id": owner, "amount": eur(600)})
    return body


async def test_what_is_released_is_dunnable_again_and_leaves_an_entry_and_an_event(
    client: Client, database: Database
) -> None:
    reserved = await reserve(client)
    path = f"{RESERVE}/{reserved['dispute_id']}:release"
    balance = f"/v1/invoices/{reserved['invoice_id']}/balance"
    assert (await client.got(balance))["disputed_minor"] > 0
    count = "SELECT count(*) FROM invoicing.outbox"
    before = await database.value(count)
    released = await client.post(path, WHY)
    assert (released.status_code, released.json()["is_reserved"]) == (200, False)
    shown = await client.got(balance)
    assert (shown["open_minor"], shown["disputed_minor"]) == (400, 0)
    assert await database.value(count) == before + 1
    (entry,) = (
        entry for entry in (await client.got("/v1/audit-entries"))["items"] if entry["action"] == "dispute.release"
    )
    assert (entry["actor"], entry["personal"]["reason"]) == ("operator", WHY["reason"])
    assert (entry["before"], entry["after"]) == ({"reserved": reserved["lines"]}, {"reserved": []})
    again = await client.post(path, WHY)
    assert (again.status_code, again.json()["code"]) == (409, "reservation_released")
    question = {"actor": "ann", "roles": ["operator"], "outcome": "upheld", "lines": reserved["lines"]}
    assert (await client.post(path.replace("release", "authorise"), question)).json()["code"] == "dispute_known"


async def test_what_somebody_may_uphold_is_not_released(client: Client) -> None:
    reserved = await reserve(client)
    path = f"{RESERVE}/{reserved['dispute_id']}"
    question = {"actor": "ann", "roles": ["operator"], "outcome": "upheld", "lines": reserved["lines"]}
    assert (await client.post(f"{path}:authorise", question)).status_code == 200
    refused = await client.post(f"{path}:release", WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "upholding_authorised")
    assert (await client.post(f"{RESERVE}/{uuid4()}:release", WHY)).status_code == 404


async def test_people_do_not_reserve_and_escalation_does_not_release(client: Client, keys: SigningKeyPair) -> None:
    people = Client(client.http, keys.token("invoicing", "invoicing:read invoicing:credits"), partial(keys.token))
    service = Client(client.http, keys.token("invoicing", "invoicing:read invoicing:disputes"), partial(keys.token))
    reserved = await reserve(client)
    refused = await people.post(RESERVE, reserved | {"dispute_id": str(uuid4())})
    assert (refused.status_code, refused.json()["detail"]) == (403, "the token lacks the scope invoicing:disputes")
    path = f"{RESERVE}/{reserved['dispute_id']}:release"
    assert (await service.post(path, WHY)).status_code == 403
    assert (await people.post(path, WHY)).status_code == 200
