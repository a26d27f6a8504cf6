"""`python -m shared.run` as a real process on real servers: it ends when told, tells the truth, and keeps secrets."""

import asyncio
from uuid import uuid4

import httpx2
import orjson
import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.ports import find_free_port
from tests.builders import Client, account, eur
from tests.end_to_end.backbone.loops import until
from tests.end_to_end.backbone.processes import Launcher

pytestmark = pytest.mark.xdist_group("kafka")
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def load(client: Client, owner: str, answers: list[httpx2.Response]) -> None:
    """Pay again and again, until nobody answers any more."""
    while True:
        try:
            answers.append(await client.post("/v1/payments", {"account_id": owner, "amount": eur(100)}))
        except httpx2.TransportError:
            return


async def test_sent_sigterm_under_load_it_ends_with_nothing_half_done(launcher: Launcher, kafka: KafkaServer) -> None:
    async with launcher.run("invoicing", kafka.bootstrap) as process:
        await until(process.is_ready)
        owner = (await process.client.create("/v1/accounts", account()))["id"]
        answers: list[httpx2.Response] = []
        callers = [asyncio.create_task(load(process.client, owner, answers)) for _ in range(6)]
        await until(lambda: enough(answers))
        assert await process.end() == 0
        await asyncio.gather(*callers)
        assert b"Traceback" not in process.log.read_bytes()
    assert {answer.status_code for answer in answers} == {201}
    database = launcher.database
    kept = {str(row["id"]) for row in await database.rows("SELECT id FROM invoicing.payments")}
    assert {answer.json()["id"] for answer in answers} <= kept
    # Each payment has its event, numbered without a gap after the account's own.
    assert await database.value("SELECT sequence FROM invoicing.streams WHERE subject = $1", owner) == len(kept) + 1
    waiting = await database.value("SELECT count(*) FROM invoicing.outbox")
    published = await database.value("SELECT sum(next_offset) FROM invoicing.published")
    assert waiting + published >= len(kept) + 1


async def enough(answers: list[httpx2.Response]) -> bool:
    return len(answers) >= 40


@pytest.mark.parametrize("service", ["collections"])
async def test_without_a_broker_it_says_so_serves_and_ends_when_told(launcher: Launcher, service: str) -> None:
    async with launcher.run(service, f"127.0.0.1:{find_free_port()}") as process:

        async def says_so() -> bool:
            status, parts = await process.ready()
            broken = {name for name, part in parts.items() if not part["ok"]}
            return status == 503 and broken == {"relay", "consumer"}

        await until(says_so)
        assert (await process.client.http.get("/health/live")).json() == {"status": "alive"}
        assert (await process.client.get("/v1/guard")).status_code == 200
        assert await process.end() == 0


async def test_readiness_tells_of_a_stopped_group_and_of_a_database_that_is_away(
    launcher: Launcher, kafka: KafkaServer
) -> None:
    database = launcher.database
    await database.execute("INSERT INTO collections.stopped VALUES (1, 'a test', now())")
    async with launcher.run("collections", kafka.bootstrap) as process:

        async def is_stopped() -> bool:
            status, parts = await process.ready()
            return status == 503 and parts.get("consumer") == {"ok": False, "state": "stopped"}

        async def is_cut_off() -> bool:
            status, parts = await process.ready()
            return status == 503 and not parts["database"]["ok"]

        await until(is_stopped)
        await database.execute("DELETE FROM collections.stopped")
        await until(process.is_ready)
        await database.execute(f"ALTER DATABASE {database.name} CONNECTION LIMIT 0")
        await database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'collections'")
        await until(is_cut_off)
        assert (await process.client.http.get("/health/live")).status_code == 200
        answer = await process.client.get("/v1/guard")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        await database.execute(f"ALTER DATABASE {database.name} CONNECTION LIMIT -1")
        await until(process.is_ready)


async def test_a_request_is_traced_to_its_event_and_nobody_is_named_in_the_log(
    launcher: Launcher, kafka: KafkaServer
) -> None:
    body = account(name="Secretive Customer", billing_email="secret@customer.example")
    async with launcher.run("invoicing", kafka.bootstrap, "api") as process:
        await until(process.is_ready)
        client = process.client
        headers = client.headers | {"idempotency-key": str(uuid4()), "traceparent": TRACEPARENT}
        assert (await client.http.post("/v1/accounts", json=body, headers=headers)).status_code == 201
        for bad in (body | {"terms_days": -1}, body | {"billing_email": "secret@customer.example\0"}, [body]):
            assert (await client.post("/v1/accounts", bad)).status_code == 422
        await client.http.get("/v1/accounts", headers={"authorization": client.headers["authorization"] + "x"})
        await launcher.database.execute("ALTER TABLE invoicing.accounts RENAME TO gone")
        assert (await client.post("/v1/accounts", body)).status_code == 500
        assert await process.end() == 0
        log = process.log.read_bytes()
    assert b"request broke" in log  # so it was written to
    token = client.headers["authorization"].removeprefix("Bearer ").encode()
    for secret in (b"secret@customer.example", b"Secretive", token, token.split(b".")[2]):
        assert secret not in log, secret
    written = await launcher.database.value("SELECT headers FROM invoicing.outbox")
    assert orjson.loads(written)["traceparent"].split("-")[1] == TRACEPARENT.split("-")[1]
