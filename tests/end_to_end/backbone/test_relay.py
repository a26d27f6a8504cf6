"""The relay with a real broker: everything that was committed goes out, in order, whoever dies."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest

from deploy.local.kafka import KafkaServer
from shared.base.health import Health
from shared.messaging.relay import OutboxRelay
from shared.persistence.database import Unit
from tests.component.shared.rehearsal import SERVICE, Stage
from tests.end_to_end.backbone.loops import is_outbox_empty, list_published, looping, relay, sequences, until

pytestmark = pytest.mark.xdist_group("kafka")
LEADER = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory'
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def test_the_topic_has_each_subject_in_order_and_the_outbox_is_emptied(stage: Stage) -> None:
    accounts = [uuid4() for _ in range(20)]
    await asyncio.gather(*(stage.publish(account, n) for n in range(30) for account in accounts))
    async with looping(relay(stage)):
        await until(lambda: is_outbox_empty(stage))
    records = await list_published(stage)
    assert all(sequences(records, account) == list(range(1, 31)) for account in accounts)
    assert all(len({record.partition for record in records if record.key == str(a).encode()}) == 1 for a in accounts)
    ends = {record.partition: record.offset + 1 for record in records}
    noted = await stage.database.rows(f"SELECT partition, next_offset FROM {SERVICE}.published")
    assert {row["partition"]: row["next_offset"] for row in noted} == ends


async def test_one_that_commits_late_is_not_lost(stage: Stage) -> None:
    early, late = uuid4(), uuid4()
    async with looping(relay(stage)), stage.database.connected(SERVICE) as slow:
        transaction = slow.transaction()
        await transaction.start()
        row = "INSERT INTO outbox (subject, type, headers, data) VALUES ($1, 'x', '{\"ce_sequence\": \"1\"}', '{}')"
        await slow.execute(row, str(late))  # takes the lower position
        await stage.publish(early, 1)
        await until(lambda: is_outbox_empty(stage))
        assert sequences(await list_published(stage), late) == []
        await transaction.commit()
        await until(lambda: is_outbox_empty(stage))
    records = await list_published(stage)
    assert (sequences(records, early), sequences(records, late)) == ([1], [1])


async def test_a_second_relay_stands_by_and_takes_over(stage: Stage) -> None:
    account, healths = uuid4(), (Health(), Health())

    async def states() -> list[str]:
        return sorted(health.parts.get("relay", (True, "?"))[1] for health in healths)

    async def both() -> bool:
        return await states() == ["leading", "standing by"]

    async with looping(relay(stage, healths[0])), looping(relay(stage, healths[1])):
        await until(both)
        leader = await stage.database.value(LEADER)
        await stage.publish(account, 1)
        await until(lambda: is_outbox_empty(stage))
        await stage.database.execute("SELECT pg_terminate_backend($1)", leader)
        await stage.publish(account, 2, 3)
        await until(lambda: is_outbox_empty(stage))
        await until(both)
        assert await stage.database.value(LEADER) != leader
        assert len(await stage.database.rows(LEADER)) == 1
    assert sorted(set(sequences(await list_published(stage), account))) == [1, 2, 3]


@pytest.mark.parametrize(
    "farewell",
    [
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.InterfaceError("connection is closed"),
        # asyncpg's name for a farewell of the server that came just before the next statement
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        ConnectionResetError(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_it_starts_afresh_however_its_connection_is_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, farewell: Exception
) -> None:
    losses = [farewell]

    async def lose(loop: OutboxRelay, *args: Any) -> None:
        if losses:
            raise losses.pop()
        await publish(loop, *args)

    publish = OutboxRelay._publish
    monkeypatch.setattr(OutboxRelay, "_publish", lose)
    account = uuid4()
    async with looping(relay(stage)):
        await stage.publish(account, 1)
        await until(lambda: is_outbox_empty(stage))
    assert losses == []
    assert sequences(await list_published(stage), account) == [1]


async def test_what_the_broker_did_not_take_goes_out_when_it_is_back(
    stage: Stage, kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.relay.SEND_TIMEOUT", 1.0)
    account, health = uuid4(), Health()

    async def is_troubled() -> bool:
        return not health.parts["relay"][0]

    async with looping(relay(stage, health)):
        await stage.publish(account, 1)
        await until(lambda: is_outbox_empty(stage))
        await asyncio.to_thread(kafka.stop)
        try:
            await stage.publish(account, 2, 3)
            await until(is_troubled)
            assert len(await stage.outbox()) == 2
        finally:
            await asyncio.to_thread(kafka.start_prepared_broker, kafka.build_broker_program())
        await until(lambda: is_outbox_empty(stage))
    published_sequences = sequences(await list_published(stage), account)
    assert list(dict.fromkeys(published_sequences)) == [1, 2, 3]


async def test_a_unit_that_fails_puts_nothing_on_the_topic(stage: Stage) -> None:
    account = uuid4()

    async def fail(unit: Unit) -> None:
        await unit.lock_subjects(account)
        unit.publish(stage.event(account_id=account, n=99))
        raise ValueError("a defect")

    async with looping(relay(stage)):
        with pytest.raises(ValueError, match="a defect"):
            await stage.units.run(fail)
        await stage.publish(account, 1)
        await until(lambda: is_outbox_empty(stage))
    of_account = [record for record in await list_published(stage) if record.key == str(account).encode()]
    assert [orjson.loads(record.value)["n"] for record in of_account] == [1]
