"""The watch of a consumer is a thread, and belongs to its process as the loop does."""

import threading
from pathlib import Path

import pytest
import structlog
from aiokafka import TopicPartition

from shared.base.settings import Settings
from shared.messaging.consumer.consumer_watch import ConsumerProgress, ConsumerWatch


def test_what_the_watch_says_names_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, named, at = threading.Event(), list[object](), TopicPartition("a.events", 0)

    async def behind(_: ConsumerWatch) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        named.append(structlog.contextvars.get_contextvars().get("process"))
        return {at: 1}, {at: 0}

    monkeypatch.setattr(ConsumerWatch, "_facts", behind)
    settings = Settings(database_url="postgresql://nobody", jwks_file=Path("none"), issuer="none", hung_after=0.01)
    with structlog.contextvars.bound_contextvars(process="a/consumer"):
        watch = ConsumerWatch(ConsumerProgress(), ["a.events"], settings, lambda: None, ended.set)
    watch.start()
    assert ended.wait(10)
    watch.join(10)
    assert set(named) == {"a/consumer"}
