"""A query parameter that a route does not have is refused, and one that is there twice: nobody filters in vain."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, running


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        yield client


async def test_a_parameter_that_the_route_does_not_have_is_named_with_those_that_it_has(client: Client) -> None:
    answer = await client.http.get("/v1/accounts?stat=late&limit=2", headers=client.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    (error,) = answer.json()["errors"]
    assert error["field"] == "stat"
    assert error["message"].startswith("there is no such parameter; there are after,")


async def test_a_route_without_parameters_says_so(client: Client) -> None:
    answer = await client.http.get(f"/v1/accounts/{uuid4()}?x=1", headers=client.headers)
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"field": "x", "message": "there is no such parameter; this route has none"}],
    )


async def test_a_parameter_that_is_there_twice_is_refused(client: Client) -> None:
    answer = await client.http.get("/v1/accounts?limit=2&limit=3", headers=client.headers)
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"field": "limit", "message": "the parameter is there more than once"}],
    )


async def test_a_command_takes_none_and_leaves_nothing(client: Client, database: Database) -> None:
    headers = client.headers | {"idempotency-key": str(uuid4())}
    answer = await client.http.post("/v1/accounts?dry_run=true", json=account(), headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "dry_run")
    assert await database.rows("SELECT id FROM invoicing.accounts") == []


async def test_a_refusal_names_at_most_twenty(client: Client) -> None:
    query = "&".join(f"x{number}=1" for number in range(300))
    answer = await client.http.get(f"/v1/accounts?{query}", headers=client.headers)
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 20)
