"""Premier contracts: each end is warned of once, and so is each of the last requests."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, sweep
from tests.component.vendor_support import Support, running_support

CONTRACT = {
    "reference": "premier-17",
    "kind": "premier_contract",
    "title": "Premier",
    "content": "calls back within an hour",
    "language": "en",
    "contract_number": "17",
}
INSTANT = timedelta(seconds=1)


@pytest.fixture
async def support(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Support]:
    async with running_support(database, keys, jwks_file) as world:
        yield world


async def list_warnings(support: Support) -> list[tuple[str, str | None, int | None]]:
    """List what was announced of contracts: the event, the last day, the requests that are left."""
    query = "SELECT type, data FROM escalation.outbox WHERE type LIKE '%SupportContract%' ORDER BY position"
    rows = [(row["type"].split(".")[2], orjson.loads(row["data"])) for row in await support.database.rows(query)]
    return [(name, announced["valid_to"], announced["requests_left"]) for name, announced in rows]


async def change(support: Support, resource: dict[str, Any], **fields: Any) -> None:
    path = f"/v1/support-resources/{resource['id']}"
    shown = await support.client.get(path)
    body = CONTRACT | {"valid_to": shown.json()["valid_to"], "requests_left": shown.json()["requests_left"]} | fields
    headers = support.client.headers | {"if-match": shown.headers["etag"]}
    changed = await support.client.http.put(path, json=body, headers=headers)
    assert changed.status_code == 200, changed.text


async def test_each_end_is_warned_of_once_thirty_days_before(support: Support) -> None:
    first = await support.client.create("/v1/support-resources", CONTRACT | {"valid_to": "2026-06-30"})
    endless = await support.client.create(
        "/v1/support-resources", CONTRACT | {"reference": "premier-18", "valid_to": "2026-06-30"}
    )
    await change(support, endless, reference="premier-18", valid_to=None)
    warned_at = datetime(2026, 5, 31, tzinfo=UTC)
    await support.database.move(warned_at - INSTANT)
    await sweep(support.runtime)
    assert await list_warnings(support) == []
    await support.database.move(warned_at)
    await sweep(support.runtime)
    warned = [("SupportContractEnding", "2026-06-30", None)]
    assert await list_warnings(support) == warned

    await change(support, first, content="calls back within two hours")
    await sweep(support.runtime)
    assert await list_warnings(support) == warned, "the same end was warned of"
    await change(support, first, valid_to=None)
    await change(support, first, valid_to="2026-06-15")
    await sweep(support.runtime)
    assert await list_warnings(support) == [*warned, ("SupportContractEnding", "2026-06-15", None)]


async def test_contracts_of_a_file_are_warned_of_and_other_resources_are_not(support: Support) -> None:
    lines = [
        CONTRACT | {"reference": "premier-1", "valid_to": "2026-03-20", "requests_left": 7},
        CONTRACT | {"reference": "premier-2", "valid_to": "2026-12-31"},
        CONTRACT | {"reference": "training-1", "kind": "training", "contract_number": None, "valid_to": "2026-03-20"},
    ]
    content = b"\n".join(orjson.dumps(line) for line in lines)
    for number in range(2):  # the second time it changes what is known
        headers = {"content-type": "application/jsonl", "idempotency-key": f"file-{number}"}
        sent = await support.client.http.post(
            "/v1/support-resources:import", content=content, headers=support.client.headers | headers
        )
        assert sent.status_code in (200, 201), sent.text
        await sweep(support.runtime)
    assert await list_warnings(support) == [("SupportContractEnding", "2026-03-20", 7)]


async def test_each_of_the_last_requests_is_warned_of(support: Support) -> None:
    resource = await support.client.create("/v1/support-resources", CONTRACT | {"requests_left": 4})
    case_id = await support.open(kind="fraud", severity=None)
    for number in range(3):
        await support.submit(case_id, number=f"61510{number}", resource_id=resource["id"])
    low = "SupportContractRequestsLow"
    assert await list_warnings(support) == [(low, None, 2), (low, None, 1)]
