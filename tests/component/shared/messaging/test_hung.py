"""When a consumer is hung, and when it only waits."""

import time
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError

from deploy.local import ports
from shared.base.settings import Settings
from shared.base.transient_errors import is_transient_error
from shared.messaging.consumer.consumer_watch import ConsumerProgress, ConsumerWatch, is_consumer_hung

HERE, THERE = TopicPartition("t", 0), TopicPartition("t", 1)
AFTER = 20.0
Offsets = dict[TopicPartition, int]


@pytest.mark.parametrize(
    ("state", "silent", "positions", "ends", "read", "hung"),
    [
        ("reading", 21, {HERE: 5}, {HERE: 6, THERE: 0}, {HERE: 5, THERE: 0}, True),
        ("reading", 19, {HERE: 5}, {HERE: 6, THERE: 0}, {HERE: 5, THERE: 0}, False),
        ("reading", 21, {HERE: 6}, {HERE: 6, THERE: 0}, {HERE: 6, THERE: 0}, False),
        ("reading", 21, {HERE: 6}, {HERE: 6, THERE: 9}, {HERE: 6, THERE: 3}, False),
        ("reading", 21, {}, {HERE: 6, THERE: 9}, {HERE: 6, THERE: 3}, True),
        ("reading", 21, {}, {HERE: 6, THERE: 9}, {HERE: 6, THERE: 9}, False),
        ("starting", 21, {}, {HERE: 6, THERE: 9}, {HERE: 0, THERE: 0}, True),
        ("stopped", 99, {HERE: 5}, {HERE: 6}, {HERE: 5}, False),
        ("waiting for Postgres", 99, {HERE: 5}, {HERE: 6}, {HERE: 5}, False),
    ],
    ids=[
        "behind and silent",
        "behind, not yet for long",
        "idle",
        "another member is behind",
        "nothing assigned, unread messages",
        "nothing assigned, nothing unread",
        "never started",
        "stopped by the flood",
        "no database",
    ],
)
def test_the_verdict(state: str, silent: float, positions: Offsets, ends: Offsets, read: Offsets, hung: bool) -> None:
    progress = ConsumerProgress(state, time.monotonic() - silent, positions)
    assert is_consumer_hung(progress, ends, read, AFTER) is hung


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.SerializationError("x"), True),
        (asyncpg.LockNotAvailableError("x"), True),
        (asyncpg.AdminShutdownError("x"), True),
        (asyncpg.TooManyConnectionsError("x"), True),
        (asyncpg.ConnectionDoesNotExistError("x"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InternalClientError("cannot switch to state 12"), True),
        (ConnectionRefusedError(), True),
        (asyncpg.UniqueViolationError("x"), False),
        (asyncpg.InsufficientPrivilegeError("x"), False),
        (ValueError("x"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_passes_by_itself(error: Exception, transient: bool) -> None:
    assert is_transient_error(error) is transient
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = error
    assert is_transient_error(wrapped) is transient


async def test_a_look_while_the_broker_is_away_leaves_no_connection_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[AIOKafkaConsumer] = []

    def open_client(**settings: str) -> AIOKafkaConsumer:
        opened.append(AIOKafkaConsumer(**settings))
        return opened[-1]

    monkeypatch.setattr("shared.messaging.consumer.consumer_watch.AIOKafkaConsumer", open_client)
    nobody = f"127.0.0.1:{ports.find_free_port()}"
    settings = Settings(
        database_url="postgresql://nobody@127.0.0.1/none", kafka=nobody, jwks_file=Path("none"), issuer="none"
    )
    with pytest.raises(KafkaConnectionError):
        await ConsumerWatch(ConsumerProgress(), [], settings, lambda: None)._facts()
    assert [client._closed for client in opened] == [True]
