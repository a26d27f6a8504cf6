"""The stage on which the backbone is tried, with a topic of its own on the real broker, and real processes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.kafka import KafkaServer
from deploy.local.tokens import SigningKeyPair
from shared.events import get_topic
from shared.process.service import NAMES
from tests.builders import Database
from tests.component.shared.rehearsal import SERVICE, Stage, staged
from tests.end_to_end.backbone.processes import Launcher
from tests.end_to_end.backbone.rehearsals import Rehearsal


@pytest.fixture
async def stage(database: Database, jwks_file: Path, kafka: KafkaServer) -> AsyncIterator[Stage]:
    """Units, one event and its handler, and the event's topic."""
    async with staged(database, jwks_file, kafka=kafka.bootstrap) as new_stage:
        await kafka.create_topics([new_stage.topic])
        yield new_stage


async def forget(kafka: KafkaServer, topics: Sequence[str]) -> None:
    """Delete what other tests told on these topics, so that a service hears of its own test's accounts only."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        if there := sorted(set(topics) & set(await admin.list_topics())):
            await admin.delete_topics(there)
        while set(topics) & set(await admin.list_topics()):  # noqa: ASYNC110  # nobody says when they are gone
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


@pytest.fixture
async def launcher(
    database: Database, keys: SigningKeyPair, jwks_file: Path, tmp_path: Path, kafka: KafkaServer
) -> Launcher:
    """Starts processes on the test's database; the topics of the services are there, and empty."""
    topics = [get_topic(name) for name in NAMES]
    await forget(kafka, topics)
    await kafka.create_topics(topics)
    return Launcher(database, keys, jwks_file, tmp_path)


@pytest.fixture
async def rehearsal(stage: Stage, keys: SigningKeyPair, jwks_file: Path, tmp_path: Path) -> Rehearsal:
    """The stage's event in processes of its own."""
    await stage.database.execute(f"CREATE TABLE {SERVICE}.broken (subject text NOT NULL, n int NOT NULL)")
    await stage.database.execute(f"GRANT SELECT ON {SERVICE}.broken TO {SERVICE}")
    return Rehearsal(stage, Launcher(stage.database, keys, jwks_file, tmp_path))
