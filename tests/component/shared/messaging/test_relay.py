"""A relay with nothing to send says all the same whether the broker is there; the broker here is a real one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.kafka import KafkaServer
from shared.base.health import Health
from shared.messaging import relay as messaging_relay
from shared.messaging.relay import OutboxRelay
from tests.builders import Database
from tests.component.shared.rehearsal import staged

Look = Callable[[AIOKafkaProducer], Awaitable[None]]
pytestmark = pytest.mark.xdist_group("kafka")


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it is true. Raises TimeoutError."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.02)


async def test_an_idle_relay_says_that_the_broker_is_away_and_that_it_is_back(
    database: Database, jwks_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.relay.LOOK_EVERY", 0.1)
    kafka, health, looks = KafkaServer(tmp_path / "kafka"), Health(), 0

    async def look_and_count(producer: AIOKafkaProducer, look: Look = messaging_relay._look) -> None:
        nonlocal looks
        await look(producer)
        looks += 1

    def leads() -> bool:
        return health.parts.get("relay") == (True, "leading")

    monkeypatch.setattr(messaging_relay, "_look", look_and_count)
    await asyncio.to_thread(kafka.start)
    try:
        async with staged(database, jwks_file, kafka=kafka.bootstrap) as stage:
            relay = asyncio.create_task(OutboxRelay("collections", stage.settings, stage.wakeups, health).run())
            await until(lambda: looks >= 3)
            assert leads()
            await asyncio.to_thread(kafka.stop)
            await until(lambda: not health.parts["relay"][0])
            await asyncio.to_thread(kafka.start_prepared_broker, kafka.build_broker_program())
            await until(leads)
            relay.cancel()
            with pytest.raises(asyncio.CancelledError):
                await relay
    finally:
        await asyncio.to_thread(kafka.stop)
