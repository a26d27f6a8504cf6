"""The policy is published by those who may, warns before access ends, and can be read by everybody."""

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from services.collections.domain.policy import Policy, parse_collection_policy
from services.collections.repository import policy_queries
from tests.builders import Client, Database, running
from tests.component.collections.test_collections import STANDARD, publish


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("collections", database, keys, jwks_file) as (_, client):
        yield client


async def test_who_may_only_write_publishes_nothing(client: Client, keys: SigningKeyPair) -> None:
    body = {"document": STANDARD, "effective_date": "2026-03-02", "reason": "first version"}
    for scopes, status in (("collections:read collections:write", 403), ("collections:publish", 201)):
        token = keys.token("collections", scopes)
        headers = {"authorization": f"Bearer {token}", "idempotency-key": scopes.replace(" ", "+")}
        assert (await client.http.post("/v1/policies", json=body, headers=headers)).status_code == status
    assert len((await client.got("/v1/policies"))["items"]) == 1


async def test_a_notice_that_does_not_warn_is_not_enough_before_access_ends(client: Client) -> None:
    """Each of the others in the place of the final notice, on the same day."""
    for template in ("upcoming", "reminder_1", "reminder_2"):
        document = STANDARD.replace("template: final_notice", f"template: {template}")
        body = {"document": document, "effective_date": "2026-03-02", "reason": "x"}
        refused = await client.post("/v1/policies", body)
        assert (refused.status_code, refused.json()["code"]) == (422, "policy_refused")
        assert refused.json()["errors"] == [
            {"field": "steps[4].requires[0].notice", "message": "final_notice does not warn that access ends"}
        ]
    await publish(client, STANDARD)


async def test_a_version_that_there_is_not_is_a_page_with_those_that_there_are(client: Client) -> None:
    empty = await client.http.get("/policy")
    assert (empty.status_code, "No policy is published yet" in empty.text) == (404, True)
    await publish(client, STANDARD)
    missing = await client.http.get("/policy?version=7")
    assert (missing.status_code, missing.headers["content-type"].partition(";")[0]) == (404, "text/html")
    assert "no version 7" in missing.text
    assert 'href="?version=1"' in missing.text
    assert (await client.http.get("/policy?version=1")).status_code == 200


async def test_what_nobody_has_checked_is_read_beside_the_event_loop(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader takes half a second for the worst document that it refuses."""
    readers: list[threading.Thread] = []

    def parse(document: str) -> Policy:
        readers.append(threading.current_thread())
        return parse_collection_policy(document)

    monkeypatch.setattr(policy_queries, "parse_published_policy", parse)
    body = {"document": "steps:\n" + "- a\n" * 15_000, "effective_date": "2026-03-02", "reason": "x"}
    assert (await client.post("/v1/policies", body)).status_code == 422
    assert len(readers) == 1
    assert readers[0] is not threading.main_thread()
