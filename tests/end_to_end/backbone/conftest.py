"""The stage on which the backbone is tried, with a topic of its own on the real broker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.kafka import KafkaServer
from tests.builders import Database
from tests.component.backbone.rehearsal import Stage, staged


@pytest.fixture
async def stage(database: Database, jwks_file: Path, kafka: KafkaServer) -> AsyncIterator[Stage]:
    """Units, one event and its handler, and the event's topic."""
    async with staged(database, jwks_file, kafka=kafka.bootstrap) as one:
        await kafka.create_topics([one.topic])
        yield one
