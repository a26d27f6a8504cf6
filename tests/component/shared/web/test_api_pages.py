"""The API pages come from us alone, and the document behind them is one that generators can read."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.process.service import NAMES
from shared.web.http import create_process_app
from shared.web.http.pages import ASSETS
from tests.builders import Client, Database, running


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("escalation", database, keys, jwks_file) as (_, client):
        yield client


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_loads_nothing_from_elsewhere_and_all_that_it_loads_is_there(client: Client, page: str) -> None:
    answer = await client.http.get(page)
    assert answer.status_code == 200
    links = re.findall(r"""(?:src|href|spec-url|url)["']?\s*[=:]\s*["']([^"']+)["']""", answer.text)
    assert len(links) >= 3
    for link in links:
        assert "//" not in link
        loaded = await client.http.get(link if link.startswith("/") else f"/{link}")
        assert loaded.status_code == 200
        assert loaded.headers["content-type"].partition(";")[0] == ASSETS.get(
            link.rpartition("/")[2], "application/json"
        )


async def test_a_file_that_is_not_one_of_these_is_not_found(client: Client) -> None:
    for name in ("core.py", "..%2Fcore.py", "%2e%2e/core.py"):
        assert (await client.http.get(f"/docs/assets/{name}")).status_code == 404


@pytest.fixture(params=NAMES)
async def document(
    request: pytest.FixtureRequest, database: Database, keys: SigningKeyPair, jwks_file: Path
) -> AsyncIterator[dict[str, Any]]:
    async with running(request.param, database, keys, jwks_file) as (runtime, _):
        yield create_process_app(runtime).openapi()


async def test_ids_of_operations_are_short_and_each_is_there_once(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids)) > 4
    assert [identifier for identifier in ids if not re.fullmatch("[a-z]+([A-Z0-9][a-z0-9]*)*", identifier)] == []
    assert max(map(len, ids)) <= 40


async def test_schemas_and_summaries_have_titles_of_their_own(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if "__" in name] == []
    titles = Counter(schema.get("title") for schema in schemas.values())
    assert [title for title, count in titles.items() if count > 1] == []
    summaries = Counter(operation["summary"] for path in document["paths"].values() for operation in path.values())
    assert [summary for summary, count in summaries.items() if count > 1] == []


async def test_a_payment_is_recorded_by_record_payment(
    database: Database, keys: SigningKeyPair, jwks_file: Path
) -> None:
    async with running("invoicing", database, keys, jwks_file) as (runtime, _):
        document = create_process_app(runtime).openapi()
    assert document["paths"]["/v1/payments"]["post"]["operationId"] == "recordPayment"
