"""The Idempotency-Key over HTTP, and paging: once for a key, and each row once."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.tokens import SigningKeyPair
from shared.persistence.database import Unit
from shared.process import jobs
from shared.process.runtime import Runtime
from shared.web import idempotency
from tests.builders import Client, Database, account, eur, running

Service = tuple[Runtime, Client, Database]


@pytest.fixture
async def service(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Service]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield runtime, client, database


async def accounts(database: Database) -> int:
    return int(await database.value("SELECT count(*) FROM invoicing.accounts"))


async def test_a_key_is_needed_and_must_be_one(service: Service) -> None:
    _, client, database = service
    missing = await client.http.post("/v1/accounts", json=account(), headers=client.headers)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")
    for bad in ("", "x" * 256, "a b", "a\x7fb"):
        answer = await client.http.post(
            "/v1/accounts", json=account(), headers=client.headers | {"idempotency-key": bad}
        )
        assert answer.status_code == 422
    assert await accounts(database) == 0


async def test_the_same_key_and_body_get_the_same_answer_and_one_effect(service: Service) -> None:
    _, client, database = service
    first = await client.post("/v1/accounts", account(), key="k")
    again = await client.post("/v1/accounts", account(), key="k")
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert await accounts(database) == 1
    assert await database.value("SELECT count(*) FROM invoicing.outbox") == 1


async def test_another_body_under_the_key_is_refused(service: Service) -> None:
    _, client, database = service
    await client.post("/v1/accounts", account(), key="k")
    other = await client.post("/v1/accounts", account(name="Account 18"), key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await accounts(database) == 1


async def send(client: Client, content: bytes) -> tuple[int, str | None]:
    """Register an account by these bytes under one key; the status, and whether the answer is a repeated one."""
    headers = client.headers | {"idempotency-key": "k", "content-type": "application/json"}
    answer = await client.http.post("/v1/accounts", content=content, headers=headers)
    return answer.status_code, answer.headers.get("idempotency-replayed")


async def test_the_same_json_in_another_order_is_the_same_request(service: Service) -> None:
    _, client, database = service
    body = account(address=["Street 1", "10115 Berlin"])
    turned = dict(reversed(body.items()))
    assert await send(client, json.dumps(body).encode()) == (201, None)
    assert await send(client, json.dumps(turned, indent=4, ensure_ascii=False).encode()) == (201, "true")
    assert await send(client, json.dumps(body | {"address": ["10115 Berlin", "Street 1"]}).encode()) == (422, None)
    assert await accounts(database) == 1


async def test_a_key_that_is_kept_by_the_bytes_of_its_body_still_gets_its_answer(service: Service) -> None:
    """Keys were once kept so: that hash is put in the place of the hash of the JSON."""
    _, client, database = service
    content = json.dumps(account(), indent=1).encode()
    assert await send(client, content) == (201, None)
    await database.execute(f"UPDATE invoicing.idempotency SET body_hash = '{hashlib.sha256(content).hexdigest()}'")
    assert await send(client, content) == (201, "true")
    assert (await send(client, json.dumps(account()).encode()))[0] == 422


@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_two_bodies_are_normalised_to_the_same_if_and_only_if_they_say_the_same(content: object) -> None:
    normal = idempotency.normalise_json_body(json.dumps(content).encode())
    assert json.loads(normal) == content
    assert idempotency.normalise_json_body(json.dumps(content, indent=2, ensure_ascii=False).encode()) == normal


def test_numbers_that_differ_in_a_digit_that_no_float_has_are_two() -> None:
    first, second = (b'{"quantity": 0.12345678901234567890%d}' % digit for digit in (1, 2))
    assert idempotency.normalise_json_body(first) != idempotency.normalise_json_body(second)
    assert idempotency.normalise_json_body(b'{"quantity": 1}') != idempotency.normalise_json_body(b'{"quantity": "1"}')


async def test_of_two_at_once_the_second_gets_the_firsts_answer(service: Service) -> None:
    _, client, database = service
    answers = await asyncio.gather(*(client.post("/v1/accounts", account(), key="k") for _ in range(4)))
    assert len({answer.content for answer in answers}) == 1
    assert sorted("idempotency-replayed" in answer.headers for answer in answers) == [False, True, True, True]
    assert await accounts(database) == 1


async def test_a_refusal_is_not_remembered(service: Service) -> None:
    _, client, database = service
    first = await client.create("/v1/accounts", account(external_reference="crm-1"))
    body = account(external_reference="crm-1")
    assert (await client.post("/v1/accounts", body, key="k")).status_code == 409
    await database.execute("UPDATE invoicing.accounts SET external_reference = 'crm-0' WHERE id = $1", first["id"])
    assert (await client.post("/v1/accounts", body, key="k")).status_code == 201


async def test_a_key_belongs_to_its_caller_and_route(service: Service, keys: SigningKeyPair) -> None:
    _, client, database = service
    owner = await client.post("/v1/accounts", account(), key="k")
    other = Client(client.http, keys.token("invoicing", subject="operator 2"))
    theirs = await other.post("/v1/accounts", account(), key="k")
    assert theirs.json()["id"] != owner.json()["id"]
    payment = {"account_id": owner.json()["id"], "amount": eur(100)}
    assert (await client.post("/v1/payments", payment, key="k")).status_code == 201
    assert await accounts(database) == 2


async def test_paging_shows_each_row_once_though_rows_are_added(service: Service) -> None:
    _, client, _ = service
    made = [(await client.create("/v1/accounts", account()))["id"] for _ in range(7)]
    seen: list[str] = []
    page = await client.got("/v1/accounts", limit=3)
    seen += [item["id"] for item in page["items"]]
    made.append((await client.create("/v1/accounts", account()))["id"])
    while page["next"]:
        page = await client.got("/v1/accounts", limit=3, after=page["next"])
        assert 0 < len(page["items"]) <= 3
        seen += [item["id"] for item in page["items"]]
    assert seen == sorted(made)
    bad = await client.get("/v1/accounts", after="not a cursor")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_cursor")


async def count_keys(database: Database) -> int:
    return int(await database.value("SELECT count(*) FROM invoicing.idempotency"))


async def test_a_key_is_pruned_after_thirty_days_and_not_before(service: Service) -> None:
    runtime, client, database = service
    first = await client.post("/v1/accounts", account(), key="k")
    await database.move(days=30)
    await runtime.units.run(idempotency.prune_idempotency_keys)
    assert (await client.post("/v1/accounts", account(), key="k")).content == first.content
    await database.move(seconds=1)
    await runtime.units.run(idempotency.prune_idempotency_keys)
    assert await count_keys(database) == 0
    assert (await client.post("/v1/accounts", account(), key="k")).json()["id"] != first.json()["id"]


async def test_a_process_prunes_by_itself_in_chunks_and_is_idle_all_the_same(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, client, database = service
    sizes: list[int] = []
    done = asyncio.Event()

    async def prune_and_count(
        unit: Unit, prune: Callable[[Unit], Awaitable[bool]] = idempotency.prune_idempotency_keys
    ) -> bool:
        before = await unit.connection.fetchval("SELECT count(*) FROM idempotency")
        more = await prune(unit)
        sizes.append(before - await unit.connection.fetchval("SELECT count(*) FROM idempotency"))
        if sizes[-1] == 0:  # the round after the last key, so that the last is committed
            done.set()
        return more

    for _ in range(5):
        await client.create("/v1/accounts", account())
    await database.move(days=31)
    await client.create("/v1/accounts", account())
    waiting = await database.rows("SELECT kind, name FROM invoicing.pending_work WHERE kind <> 'outbox'")
    assert waiting == []
    monkeypatch.setattr(idempotency, "CHUNK", 2)
    monkeypatch.setattr(idempotency, "prune_idempotency_keys", prune_and_count)
    monkeypatch.setattr(jobs, "MAINTAIN_EVERY", 0.01)
    monkeypatch.setattr(jobs, "MAINTAIN_PAUSE", 0)
    working = asyncio.create_task(runtime.jobs.run())
    async with asyncio.timeout(10):
        await done.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert sizes[:3] == [2, 2, 1]
    assert await count_keys(database) == 1


async def test_a_key_in_use_is_left_alone(service: Service) -> None:
    runtime, client, database = service
    for key in ("a", "b"):
        await client.post("/v1/accounts", account(), key=key)
    await database.move(days=31)
    async with database.connected("invoicing") as other, other.transaction():
        await other.execute("SELECT FROM invoicing.idempotency WHERE key = 'a' FOR UPDATE")
        await runtime.units.run(idempotency.prune_idempotency_keys)
    assert await database.value("SELECT string_agg(key, '') FROM invoicing.idempotency") == "a"


async def test_a_key_that_is_pruned_between_two_statements_is_new(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client, _ = service
    first = await client.post("/v1/accounts", account(), key="k")
    # The first statement still finds the key; the second, which is to read what is stored, finds it gone.
    gone = (
        "DELETE FROM idempotency i USING unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])"
        " AS a (c, r, k, b, s)"
        " WHERE (caller, route, key) = (c, r, k)"
    )
    monkeypatch.setattr(idempotency, "_STORED", f"WITH gone AS ({gone}) SELECT WHERE false")
    second = await client.post("/v1/accounts", account(), key="k")
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("name", ["collections", "entitlements", "escalation"])
async def test_old_keys_are_found_by_an_index(database: Database, name: str) -> None:
    async with database.connected() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL search_path = {name}; SET LOCAL enable_seqscan = off")
        plan = await connection.fetch(f"EXPLAIN {idempotency._PRUNE}".replace("$1", "now()").replace("$2", "10"))
        assert any("idempotency_age" in row[0] for row in plan)
