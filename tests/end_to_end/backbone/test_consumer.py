"""Consumers with a real broker: each event once and in order, whoever comes, goes or is stopped."""

import asyncio
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.kafka import KafkaServer
from shared.base import kafka as base_kafka
from shared.base.health import Health
from shared.base.metrics import backbone
from shared.persistence import parked_events
from shared.redrive import redrive_parked_events
from tests.component.shared.rehearsal import SERVICE, Stage, Unheard
from tests.end_to_end.backbone.loops import consumer, is_outbox_empty, list_published, looping, relay, until

pytestmark = pytest.mark.xdist_group("kafka")


async def had(stage: Stage, number: int) -> bool:
    return int(await stage.database.value(f"SELECT count(*) FROM {SERVICE}.effects")) >= number


async def send(stage: Stage, *messages: base_kafka.MessageEnvelope) -> None:
    """Put messages on the topic, as any producer might."""
    async with AIOKafkaProducer(bootstrap_servers=stage.settings.kafka) as producer:
        for message in messages:
            headers = [(name, value.encode()) for name, value in message.headers.items()]
            await producer.send_and_wait(stage.topic, message.payload, key=message.subject.encode(), headers=headers)


async def test_two_members_share_the_work_and_one_leaves(stage: Stage) -> None:
    accounts = [uuid4() for _ in range(24)]
    first, second = consumer(stage), consumer(stage)

    async def have_shared() -> bool:
        return len(first.progress.positions) == len(second.progress.positions) == 3

    async def publish(*numbers: int) -> None:
        await asyncio.gather(*(stage.publish(account, *numbers) for account in accounts))

    async with looping(relay(stage)), looping(first):
        await publish(1, 2)
        async with looping(second):
            await until(have_shared)
            await publish(*range(3, 21))
            await until(lambda: had(stage, 24 * 10))
        await publish(21, 22)  # the second has left in the middle
        await until(lambda: had(stage, 24 * 22))
    for account in accounts:
        assert await stage.effects(account) == list(range(1, 23))


async def test_a_member_that_comes_to_waiting_messages_drops_none_of_them(stage: Stage) -> None:
    account, dropped = uuid4(), backbone.LOST._value.get()
    async with looping(relay(stage)):
        await stage.publish(account, *range(1, 11))
        await until(lambda: is_outbox_empty(stage))
    async with looping(consumer(stage)):
        await until(lambda: had(stage, 10))
    assert backbone.LOST._value.get() == dropped


async def test_poison_on_the_topic_stops_its_subject_until_it_is_driven_on(stage: Stage) -> None:
    sick, well = uuid4(), uuid4()
    stage.broken = {(sick, 2)}
    async with looping(relay(stage)), looping(consumer(stage)):
        await stage.publish(sick, 1, 2, 3)
        await stage.publish(well, 1, 2, 3)
        await until(lambda: had(stage, 4))
        assert (await stage.effects(sick), await stage.effects(well)) == ([1], [1, 2, 3])
        stage.broken = set()
        await asyncio.gather(
            redrive_parked_events(stage.units, stage.handlers, actor="operator 3"), stage.publish(sick, 4, 5)
        )
        await redrive_parked_events(stage.units, stage.handlers, actor="operator 3")
        await until(lambda: had(stage, 8))
    assert await stage.effects(sick) == [1, 2, 3, 4, 5]
    assert await stage.waiting(sick) == {}


async def test_the_database_wins_over_kafkas_offsets(stage: Stage) -> None:
    account = uuid4()
    async with looping(relay(stage)), looping(consumer(stage)):
        await stage.publish(account, 1, 2, 3)
        await until(lambda: had(stage, 3))
    # Kafka is told the offsets when a member leaves; the database forgets, as after a restore.
    await stage.database.execute(f"UPDATE {SERVICE}.consumed SET next_offset = 0")
    await stage.database.execute(f"DELETE FROM {SERVICE}.watermarks")
    await stage.database.execute(f"DELETE FROM {SERVICE}.effects")
    async with looping(consumer(stage)):
        await until(lambda: had(stage, 3))
    assert await stage.effects(account) == [1, 2, 3]


async def test_a_flood_of_poison_stops_the_group_over_a_restart_until_it_is_told(stage: Stage) -> None:
    accounts = [uuid4() for _ in range(20)]
    stage.broken = {(account, 1) for account in accounts}
    health, after = Health(), Health()
    good = uuid4()

    async def is_stopped(health: Health = health) -> bool:
        return health.parts.get("consumer") == (False, "stopped")

    async with looping(relay(stage)):
        async with looping(consumer(stage, health)):
            await asyncio.gather(*(stage.publish(account, 1) for account in accounts))
            await until(is_stopped)
        async with looping(consumer(stage, after)):
            await until(lambda: is_stopped(after))
            await stage.publish(good, 1)
            await until(lambda: is_outbox_empty(stage))
            assert await stage.effects(good) == []
            await stage.units.run(lambda unit: parked_events.resume_consumer_group(unit.connection))
            await until(lambda: had(stage, 1))
    assert await stage.effects(good) == [1]


async def test_rubbish_on_the_topic_is_kept_and_passed_over(stage: Stage) -> None:
    account = uuid4()
    async with AIOKafkaProducer(bootstrap_servers=stage.settings.kafka) as producer:
        for partition in range(6):
            await producer.send_and_wait(stage.topic, b"\x00rubbish", partition=partition)
            await producer.send_and_wait(stage.topic, None, key=b"k", partition=partition, headers=[("ce_id", b"\x00")])
    unheard = stage.message(account, 2, ce_type=f"goodstanding.{stage.event.producer}.Unheard.v1")
    await send(stage, stage.message(account, 1), unheard, stage.message(account, 3))
    async with looping(consumer(stage)):
        await until(lambda: had(stage, 2))
        await until(lambda: has_kept(stage, 12))
    assert await stage.effects(account) == [1, 3]


async def has_kept(stage: Stage, number: int) -> bool:
    query = f"SELECT count(*) FROM {SERVICE}.parked WHERE type = 'unreadable'"
    return bool(await stage.database.value(query) == number)


async def test_a_member_goes_on_by_itself_when_the_broker_is_back(stage: Stage, kafka: KafkaServer) -> None:
    account = uuid4()
    async with looping(relay(stage)), looping(consumer(stage)):
        await stage.publish(account, 1)
        await until(lambda: had(stage, 1))
        await asyncio.to_thread(kafka.stop)
        await stage.publish(account, 2)
        await asyncio.to_thread(kafka.start_prepared_broker, kafka.build_broker_program())
        await until(lambda: had(stage, 2))
    assert await stage.effects(account) == [1, 2]


@pytest.fixture
def tracer() -> trace.Tracer:
    return TracerProvider().get_tracer("test")


async def test_a_trace_goes_from_the_request_through_the_topic_into_what_handlers_publish(
    stage: Stage, tracer: trace.Tracer
) -> None:
    account: UUID = uuid4()
    stage.echo = Unheard
    with tracer.start_as_current_span("request") as span:
        await stage.publish(account, 1)
    wanted = f"{span.get_span_context().trace_id:032x}"
    assert [headers["traceparent"].split("-")[1] for headers in await stage.outbox()] == [wanted]
    async with looping(relay(stage)):
        await until(lambda: is_outbox_empty(stage))
    (record,) = await list_published(stage)
    assert dict(record.headers)["traceparent"].decode().split("-")[1] == wanted
    async with looping(consumer(stage)):
        await until(lambda: had(stage, 1))
    (echo,) = await stage.outbox()
    assert echo["traceparent"].split("-")[1] == wanted
    assert echo["ce_causationid"] == dict(record.headers)["ce_id"].decode()
