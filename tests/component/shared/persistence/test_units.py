"""Units on real Postgres: all or nothing, again when that may help, and sequences that are the order of facts."""

import asyncio
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from deploy.local.tokens import SigningKeyPair
from shared.base.wakeups import LoopWakeups
from shared.persistence.database import Unit, Units
from shared.persistence.outbox import MAX_EVENT_BYTES, EventTooLarge
from shared.persistence.subject_streams import WINDOW
from shared.pure.errors import Unavailable
from tests.builders import Database, account, running
from tests.component.shared.rehearsal import Stage

ACCOUNT = uuid4()
EFFECT = "INSERT INTO effects (subject, n) VALUES ($1, $2)"


async def test_a_unit_that_fails_publishes_nothing_and_uses_no_number(stage: Stage) -> None:
    async def fail(unit: Unit) -> None:
        await unit.lock_subjects(ACCOUNT)
        await unit.connection.execute(EFFECT, str(ACCOUNT), 1)
        unit.publish(stage.event(account_id=ACCOUNT, n=1))
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        await stage.units.run(fail)
    assert (await stage.effects(ACCOUNT), await stage.outbox()) == ([], [])
    await stage.publish(ACCOUNT, 1)
    assert [headers["ce_sequence"] for headers in await stage.outbox()] == ["1"]


async def test_a_killed_connection_runs_the_whole_unit_again_with_one_effect(stage: Stage) -> None:
    runs = 0

    async def act(unit: Unit) -> None:
        nonlocal runs
        runs += 1
        await unit.lock_subjects(ACCOUNT)
        await unit.connection.execute(EFFECT, str(ACCOUNT), runs)
        unit.publish(stage.event(account_id=ACCOUNT, n=runs))
        if runs == 1:
            backend = await unit.connection.fetchval("SELECT pg_backend_pid()")
            await stage.database.execute("SELECT pg_terminate_backend($1)", backend)

    await stage.units.run(act)
    assert (runs, await stage.effects(ACCOUNT), len(await stage.outbox())) == (2, [2], 1)


async def test_a_deadlock_is_no_callers_business(stage: Stage) -> None:
    subject, other = str(uuid4()), str(uuid4())
    await stage.units.run(lambda unit: unit.lock_subjects(subject, other))
    both = asyncio.Barrier(2)
    runs = 0

    async def crosswise(first: str, second: str, unit: Unit) -> None:
        nonlocal runs
        runs += 1
        await unit.lock_subjects(first)
        if runs <= 2:
            await both.wait()
        await unit.lock_subjects(second)
        await unit.connection.execute(EFFECT, first, 1)

    await asyncio.gather(
        stage.units.run(lambda unit: crosswise(subject, other, unit)),
        stage.units.run(lambda unit: crosswise(other, subject, unit)),
    )
    assert runs == 3
    assert (await stage.effects(UUID(subject)), await stage.effects(UUID(other))) == ([1], [1])


async def test_a_unit_cancelled_at_any_moment_leaves_its_connection_to_nobody_in_a_transaction(
    stage: Stage,
) -> None:
    units = Units(stage.settings.model_copy(update={"pool_size": 1}), LoopWakeups())

    async def act(n: int, unit: Unit) -> None:
        await unit.connection.execute(EFFECT, str(ACCOUNT), n)

    cancelled_when = 0
    try:
        for moments in range(150):
            cancelled = asyncio.create_task(units.run(partial(act, -1)))
            for _ in range(moments):
                await asyncio.sleep(0)
            cancelled_when += cancelled.cancel()
            await asyncio.wait([cancelled])
            await units.run(partial(act, moments))
            assert moments in await stage.effects(ACCOUNT)
    finally:
        await units.close()
    assert cancelled_when > 10, "it was cancelled at many moments"


async def test_a_defect_is_not_tried_again(stage: Stage) -> None:
    runs = 0

    async def act(unit: Unit) -> None:
        nonlocal runs
        runs += 1
        await unit.connection.execute("SELECT 1 / 0")

    with pytest.raises((asyncpg.DivisionByZeroError, DBAPIError)):
        await stage.units.run(act)
    assert runs == 1


async def test_fifty_units_on_one_account_leave_no_gap_while_others_go_on(stage: Stage) -> None:
    others = [uuid4() for _ in range(10)]
    await asyncio.gather(
        *(stage.publish(ACCOUNT, n) for n in range(1, 51)), *(stage.publish(subject, 1, 2, 3) for subject in others)
    )
    headers = await stage.outbox()
    sequences = [int(header["ce_sequence"]) for header in headers if header["ce_subject"] == str(ACCOUNT)]
    assert sequences == list(range(1, 51))  # in the order of positions, too
    for other in others:
        assert [header["ce_sequence"] for header in headers if header["ce_subject"] == str(other)] == ["1", "2", "3"]


async def test_one_accounts_lock_does_not_hold_another_up(stage: Stage) -> None:
    other = uuid4()

    async def hold(unit: Unit) -> None:
        await unit.lock_subjects(ACCOUNT)
        await stage.publish(other, 1)  # in a unit of its own, while this one holds its lock

    await stage.units.run(hold)
    assert [headers["ce_subject"] for headers in await stage.outbox()] == [str(other)]


async def test_publishing_without_the_lock_is_a_defect(stage: Stage) -> None:
    async def act(unit: Unit) -> None:
        unit.publish(stage.event(account_id=ACCOUNT, n=1))

    with pytest.raises(KeyError):
        await stage.units.run(act)


async def test_an_event_above_the_limit_is_refused_in_the_transaction_of_the_fact(stage: Stage) -> None:
    async def act(unit: Unit, note: str) -> None:
        await unit.lock_subjects(ACCOUNT)
        await unit.connection.execute(EFFECT, str(ACCOUNT), 1)
        unit.publish(stage.event(account_id=ACCOUNT, n=1, note=note))

    with pytest.raises(EventTooLarge):
        await stage.units.run(lambda unit: act(unit, "ü" * (MAX_EVENT_BYTES // 2)))  # two bytes each
    assert (await stage.effects(ACCOUNT), await stage.outbox()) == ([], [])
    await stage.units.run(lambda unit: act(unit, "ü" * (MAX_EVENT_BYTES // 2 - 100)))
    assert len(await stage.outbox()) == 1


async def test_a_lock_that_stays_taken_is_a_503_that_says_when_to_come_again(
    database: Database, keys: SigningKeyPair, jwks_file: Path
) -> None:
    async with running("invoicing", database, keys, jwks_file, lock_timeout=0.05) as (_, client):
        made = await client.create("/v1/accounts", account())
        payment = {"account_id": made["id"], "amount": {"amount_minor": 100, "currency": "EUR"}}
        async with database.connected() as connection, connection.transaction():
            await connection.execute("SELECT 1 FROM invoicing.streams WHERE subject = $1 FOR UPDATE", made["id"])
            busy = await client.post("/v1/payments", payment, key="k")
            other = await client.create("/v1/accounts", account())
        assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (503, "unavailable", "1")
        assert busy.headers["content-type"] == "application/problem+json"
        assert other["id"] != made["id"]
        assert (await client.post("/v1/payments", payment, key="k")).status_code == 201


async def test_a_database_that_is_away_is_unavailable_and_comes_back(stage: Stage) -> None:
    await stage.database.execute(f"ALTER DATABASE {stage.database.name} CONNECTION LIMIT 0")
    await stage.units.close()
    with pytest.raises(Unavailable):
        await stage.publish(ACCOUNT, 1)
    await stage.database.execute(f"ALTER DATABASE {stage.database.name} CONNECTION LIMIT -1")
    await stage.publish(ACCOUNT, 1)
    assert len(await stage.outbox()) == 1


@pytest.mark.parametrize("free", range(2 * WINDOW))
async def test_who_claims_goes_around_what_others_hold(stage: Stage, free: int) -> None:
    accounts = [str(uuid4()) for _ in range(2 * WINDOW)]
    await stage.units.run(lambda unit: unit.lock_subjects(*accounts))
    listed = ", ".join(f"('{account}', timestamptz '-infinity')" for account in accounts)
    due = f"SELECT account_id FROM (VALUES {listed}) AS due (account_id, due_at) WHERE due_at <= $1"

    async def hold_the_others(unit: Unit) -> None:
        await unit.lock_subjects(*(account for account in accounts if account != accounts[free]))
        assert await stage.units.run(lambda other: other.claim_due_accounts(due, 1)) == [accounts[free]]

    await stage.units.run(hold_the_others)


async def test_a_service_that_starts_before_the_sandboxs_clock_waits_for_it(
    database: Database, keys: SigningKeyPair, jwks_file: Path
) -> None:
    await database.execute("DELETE FROM clock.clock")
    async with running("entitlements", database, keys, jwks_file, jobs_poll=0.01) as (runtime, client):
        jobs = asyncio.create_task(runtime.jobs.run())
        answer = await client.get("/v1/holds")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        await asyncio.wait([jobs], timeout=0.2)
        assert not jobs.done()
        await database.install_clock()
        assert (await client.get("/v1/holds")).status_code == 200
        jobs.cancel()
        with pytest.raises(asyncio.CancelledError):
            await jobs
