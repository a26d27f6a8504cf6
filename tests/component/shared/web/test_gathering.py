"""Requests that come at once are done in few units, and each is answered as if it had come alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from services.invoicing.payments.use_cases import payment_recording
from services.invoicing.payments.use_cases.payment_recording import NewPayment, record_received_payments
from shared.persistence.database import Unit
from shared.web import commands, request_batching
from tests.builders import Client, Database, account, eur, invoice, running

PAYING = 12
BEFORE_THE_LOCK_IS_GIVEN_UP = 2.0
"""Seconds; who waits for a lock waits three."""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, made):
        yield made


@pytest.fixture
async def owners(client: Client) -> list[str]:
    """Accounts that owe 10.00 each."""
    made = [str((await client.create("/v1/accounts", account()))["id"]) for _ in range(PAYING)]
    for owner in made:
        await client.create("/v1/invoices", invoice(owner, 1000))
    return made


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The accounts whose payments each unit received."""
    seen: list[list[str]] = []

    async def record_and_note(unit: Unit, news: Sequence[NewPayment]) -> Any:
        seen.append([str(new.account_id) for new in news])
        return await record_received_payments(unit, news)

    monkeypatch.setattr(payment_recording, "record_received_payments", record_and_note)
    return seen


def payment(owner: str, **more: Any) -> dict[str, Any]:
    return {"account_id": owner, "amount": eur(1000)} | more


async def at_once(client: Client, bodies: Sequence[dict[str, Any]]) -> list[httpx2.Response]:
    return await asyncio.gather(*(client.post("/v1/payments", body) for body in bodies))


async def open_of(database: Database) -> dict[str, int]:
    rows = await database.rows("SELECT account_id::text, open_minor FROM invoicing.invoice_states")
    return {row["account_id"]: row["open_minor"] for row in rows}


async def test_payments_of_many_accounts_share_units_and_each_has_its_own_answer(
    client: Client, database: Database, owners: list[str], units: list[list[str]]
) -> None:
    answers = await at_once(client, [payment(owner) for owner in owners])
    assert [answer.status_code for answer in answers] == [201] * PAYING
    assert [answer.json()["account_id"] for answer in answers] == owners
    assert sorted(owner for together in units for owner in together) == sorted(owners)
    assert len(units) < PAYING / 2
    assert set((await open_of(database)).values()) == {0}


async def test_who_comes_alone_is_done_at_once(client: Client, owners: list[str], units: list[list[str]]) -> None:
    assert (await client.post("/v1/payments", payment(owners[0]))).status_code == 201
    assert units == [[owners[0]]]


async def test_events_name_their_own_request_and_belong_to_its_trace(
    client: Client, database: Database, owners: list[str], units: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = count(1)
    monkeypatch.setattr(commands, "get_traceparent", lambda: f"00-{next(traces):032x}-{1:016x}-01")
    await at_once(client, [payment(owner) for owner in owners])
    assert len(units) < PAYING / 2
    rows = await database.rows(
        "SELECT subject, headers FROM invoicing.outbox WHERE type ~ 'PaymentReceived|InvoicePaid' ORDER BY position"
    )
    names = {owner: set[tuple[str, str]]() for owner in owners}
    for row in rows:
        headers = orjson.loads(row["headers"])
        names[row["subject"]].add((headers["ce_causationid"], headers["traceparent"]))
    assert len(rows) == 2 * PAYING
    assert [len(name) for name in names.values()] == [1] * PAYING
    (causes, parents) = zip(*(pair for name in names.values() for pair in name), strict=True)
    assert (len(set(causes)), len(set(parents))) == (PAYING, PAYING)


async def test_of_what_is_refused_nothing_is_left_and_the_others_stand(
    client: Client, database: Database, owners: list[str], units: list[list[str]]
) -> None:
    nobodys = str(UUID(int=7))
    bodies = [payment(owner) for owner in owners]
    bodies[3] = payment(owners[3], invoice_id=nobodys)
    bodies[5] = payment(owners[5], amount={"amount_minor": 1000, "currency": "USD"})
    bodies[7] = payment(nobodys)
    answers = await asyncio.gather(
        *(client.post("/v1/payments", body, key=f"key-{n}") for n, body in enumerate(bodies))
    )
    assert len(units) < PAYING / 2 + 1
    refused = {n: answer.json()["code"] for n, answer in enumerate(answers) if answer.status_code != 201}
    assert refused == {3: "not_found", 5: "currency_mismatch", 7: "not_found"}
    open_by_owner = await open_of(database)
    assert {owner for owner, minor in open_by_owner.items() if minor} == {owners[3], owners[5], owners[7]}
    kept = await database.rows("SELECT key FROM invoicing.idempotency WHERE route LIKE '%payments' ORDER BY key")
    assert [row["key"] for row in kept] == sorted(f"key-{n}" for n in range(PAYING) if n not in refused)
    again = await client.post("/v1/payments", payment(owners[3]), key="key-3")
    assert again.status_code == 201


async def test_an_account_that_somebody_holds_does_not_hold_the_others_up(
    client: Client, database: Database, owners: list[str], units: list[list[str]]
) -> None:
    locked_owner, *free = owners
    async with database.connected("invoicing") as other, other.transaction():
        await other.execute("SELECT FROM invoicing.streams WHERE subject = $1 FOR NO KEY UPDATE", locked_owner)
        waits = asyncio.create_task(client.post("/v1/payments", payment(locked_owner)))
        async with asyncio.timeout(BEFORE_THE_LOCK_IS_GIVEN_UP):
            answers = await at_once(client, [payment(owner) for owner in free])
        assert not waits.done()
    assert {answer.status_code for answer in [*answers, await waits]} == {201}
    assert set((await open_of(database)).values()) == {0}


async def test_who_is_asked_again_while_it_waits_for_its_account_does_not_hold_the_others_up(
    client: Client, database: Database, owners: list[str]
) -> None:
    locked_owner, *free = owners
    async with database.connected("invoicing") as other, other.transaction():
        await other.execute("SELECT FROM invoicing.streams WHERE subject = $1 FOR NO KEY UPDATE", locked_owner)
        first = asyncio.create_task(client.post("/v1/payments", payment(locked_owner), key="impatient"))
        while not await database.value(WAITING):
            pass
        again = asyncio.create_task(client.post("/v1/payments", payment(locked_owner), key="impatient"))
        async with asyncio.timeout(BEFORE_THE_LOCK_IS_GIVEN_UP):
            answers = await at_once(client, [payment(owner) for owner in free])
        assert not first.done()
    assert {answer.status_code for answer in [*answers, await first, await again]} == {201}
    assert (await first).content == (await again).content
    assert set((await open_of(database)).values()) == {0}


async def test_a_defect_is_the_business_of_its_own_request(
    client: Client, database: Database, owners: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def record_and_break(unit: Unit, news: Sequence[NewPayment]) -> Any:
        outcomes = await record_received_payments(unit, news)
        if owners[4] in {str(new.account_id) for new in news}:
            raise ValueError("a defect")
        return outcomes

    monkeypatch.setattr(payment_recording, "record_received_payments", record_and_break)
    answers = await at_once(client, [payment(owner) for owner in owners])
    assert [n for n, answer in enumerate(answers) if answer.status_code != 201] == [4]
    assert answers[4].status_code == 500
    assert {owner for owner, minor in (await open_of(database)).items() if minor} == {owners[4]}


async def test_a_connection_that_is_lost_runs_them_all_again_with_one_effect(
    client: Client, database: Database, owners: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []

    async def cut(unit: Unit, news: Sequence[NewPayment]) -> Any:
        outcomes = await record_received_payments(unit, news)
        if len(news) > 1 and not killed:
            killed.append(len(news))
            await database.execute("SELECT pg_terminate_backend($1)", unit.connection.get_server_pid())
        return outcomes

    monkeypatch.setattr(payment_recording, "record_received_payments", cut)
    answers = await at_once(client, [payment(owner) for owner in owners])
    assert killed
    assert {answer.status_code for answer in answers} == {201}
    assert await database.value("SELECT count(*) FROM invoicing.payments") == PAYING


async def test_who_cancels_what_a_unit_waits_for_leaves_nobody_without_an_answer(
    client: Client, database: Database, owners: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a client does whose connection is lost."""

    async def cut(unit: Unit, news: Sequence[NewPayment]) -> Any:
        if len(news) > 1:
            raise asyncio.CancelledError
        return await record_received_payments(unit, news)

    monkeypatch.setattr(payment_recording, "record_received_payments", cut)
    async with asyncio.timeout(BEFORE_THE_LOCK_IS_GIVEN_UP):
        answers = await at_once(client, [payment(owner) for owner in owners])
    assert {answer.status_code for answer in answers} == {201}
    assert set((await open_of(database)).values()) == {0}


async def test_a_key_that_comes_twice_at_once_has_one_effect(
    client: Client, database: Database, owners: list[str]
) -> None:
    same = [client.post("/v1/payments", payment(owners[0]), key="same") for _ in range(3)]
    other = client.post("/v1/payments", payment(owners[1]), key="same")
    others = [client.post("/v1/payments", payment(owner)) for owner in owners[2:]]
    answers = await asyncio.gather(*same, other, *others)
    first = [answer for answer in answers[:3] if "idempotency-replayed" not in answer.headers]
    assert len(first) == 1
    assert {answer.content for answer in answers[:3]} == {first[0].content}
    assert (answers[3].status_code, answers[3].json()["code"]) == (422, "idempotency_key_reused")
    assert await database.value("SELECT count(*) FROM invoicing.payments") == PAYING - 1


async def test_of_one_account_each_unit_takes_one_payment(
    client: Client, database: Database, owners: list[str], units: list[list[str]]
) -> None:
    answers = await at_once(client, [payment(owner, amount=eur(100)) for owner in owners[:3] for _ in range(10)])
    assert {answer.status_code for answer in answers} == {201}
    assert all(len(set(together)) == len(together) for together in units)
    assert [minor for minor in (await open_of(database)).values() if minor < 1000] == [0, 0, 0]


async def test_who_has_waited_too_long_is_told_to_come_again(
    client: Client, database: Database, owners: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_batching, "WAIT", -1)
    answer = await client.post("/v1/payments", payment(owners[0]))
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert await database.value("SELECT count(*) FROM invoicing.payments") == 0
