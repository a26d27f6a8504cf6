"""Clients that are told to end at a bad moment leave no connection behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from types import CoroutineType
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer.group_coordinator import GroupCoordinator, NoGroupCoordinator
from aiokafka.errors import ProducerClosed
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.protocol.metadata import MetadataRequest

from shared.base.connections.kafka import build_kafka_options
from shared.base.kafka import create_kafka_consumer, create_kafka_producer, start_client, stop_client
from tests.component.shared.rehearsal import Stage

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture(params=["consumer", "reader", "producer"])
async def client(request: pytest.FixtureRequest, stage: Stage) -> AIOKafkaConsumer | AIOKafkaProducer:
    """Each kind of client, not started; a reader is in no group."""
    if request.param == "producer":
        return create_kafka_producer(stage.settings)
    if request.param == "reader":
        return AIOKafkaConsumer(stage.topic, **build_kafka_options(stage.settings))
    member = create_kafka_consumer(stage.settings, f"group-{stage.topic}")
    member.subscribe([stage.topic])
    return member


@pytest.fixture
async def connections(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[AIOKafkaConnection]]:
    """Every connection that is opened; at the end of the test none of them is open."""
    opened: list[AIOKafkaConnection] = []
    connect = AIOKafkaConnection.connect

    async def remember(connection: AIOKafkaConnection) -> Any:
        opened.append(connection)
        return await connect(connection)

    monkeypatch.setattr(AIOKafkaConnection, "connect", remember)
    yield opened
    assert opened
    assert [connection for connection in opened if connection.connected()] == []


async def test_a_start_that_is_cancelled_closes_what_it_opened(
    client: AIOKafkaConsumer | AIOKafkaProducer, connections: list[AIOKafkaConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()
    send = AIOKafkaConnection.send

    def delay(connection: AIOKafkaConnection, request: Any, expect_response: bool = True) -> Awaitable[Any]:
        sending = send(connection, request, expect_response)
        return _wait_for(sending) if isinstance(request, MetadataRequest) else sending

    async def _wait_for(sending: Awaitable[Any]) -> Any:
        asked.set()
        await answered.wait()
        return await sending

    monkeypatch.setattr(AIOKafkaConnection, "send", delay)
    async with _stopping(client):
        starting = asyncio.create_task(start_client(client))
        await asked.wait()
        starting.cancel()
        asyncio.get_running_loop().call_later(0.01, answered.set)
        with pytest.raises(asyncio.CancelledError):
            await starting


async def test_a_client_that_cannot_end_in_good_order_closes_its_connections(
    client: AIOKafkaConsumer | AIOKafkaProducer, connections: list[AIOKafkaConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.base.kafka.STOP_TIMEOUT", 0.05)
    of_others = asyncio.all_tasks()
    async with _stopping(client):
        await start_client(client)
        for part in (GroupCoordinator, NoGroupCoordinator, MessageAccumulator):
            monkeypatch.setattr(part, "close", _hang)
    assert _list_client_tasks(of_others) == []


async def test_what_could_not_be_sent_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.base.kafka.STOP_TIMEOUT", 0.05)
    monkeypatch.setattr(MessageAccumulator, "drain_by_nodes", lambda *_, **__: ({}, False))
    of_others = asyncio.all_tasks()
    producer = create_kafka_producer(stage.settings)
    async with _stopping(producer):
        await start_client(producer)
        sending = await producer.send(stage.topic, b"{}")
    with pytest.raises(ProducerClosed):
        await asyncio.wait_for(sending, 5)
    await asyncio.sleep(0)
    assert _list_client_tasks(of_others) == []


@asynccontextmanager
async def _stopping(client: AIOKafkaConsumer | AIOKafkaProducer) -> AsyncIterator[None]:
    """Stop the client at the end of the block."""
    try:
        yield
    finally:
        await stop_client(client)


def _list_client_tasks(of_others: set[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """List the tasks of aiokafka but those that were there before."""
    return [task for task in asyncio.all_tasks() - of_others if "/aiokafka/" in _find_source(task)]


def _find_source(task: asyncio.Task[Any]) -> str:
    """The file of the function that a task runs."""
    coroutine = task.get_coro()
    assert isinstance(coroutine, CoroutineType)
    return coroutine.cr_code.co_filename


async def _hang(*_: object) -> None:
    await asyncio.Event().wait()
