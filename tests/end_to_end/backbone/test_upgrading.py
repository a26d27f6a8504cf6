"""A release that consumes a type for the first time, started on what the release before has left."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from services.entitlements import consumers
from shared.base.health import Health
from shared.base.wakeups import LoopWakeups
from shared.messaging.consumer.event_consumer import EventConsumer
from shared.migrate import migrate_database
from shared.persistence.database import Units
from tests.builders import Database, settings_for
from tests.end_to_end.backbone.conftest import forget
from tests.end_to_end.backbone.loops import looping, until
from tests.end_to_end.backbone.upgrading import Recording, read_recording

pytestmark = pytest.mark.xdist_group("kafka")

NAME = "upgraded_entitlements"


@pytest.fixture
async def recording(postgres: PostgresServer, kafka: KafkaServer) -> AsyncIterator[Recording]:
    """Restore what the release before has left, in a database of its own and on the real topics."""
    recorded = read_recording("entitlements", "0002")
    await forget(kafka, list(recorded.topics))
    await kafka.create_topics(list(recorded.topics))
    await recorded.restore(postgres, NAME)
    await recorded.publish(kafka.bootstrap)
    yield recorded
    admin = await asyncpg.connect(postgres.url())
    await admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def database(postgres: PostgresServer, recording: Recording) -> Database:
    """Upgrade the database."""
    await migrate_database(postgres.url("owner", NAME), ("entitlements",))
    upgraded = Database(postgres, NAME)
    await upgraded.install_clock()
    return upgraded


async def test_the_past_of_new_types_is_applied_and_calls_nobody(
    recording: Recording, database: Database, kafka: KafkaServer, jwks_file: Path
) -> None:
    settings = settings_for("entitlements", database, jwks_file, kafka=kafka.bootstrap)
    units = Units(settings, LoopWakeups())

    async def is_finished() -> bool:
        query = "SELECT count(*) FILTER (WHERE finished_at IS NULL), count(*), sum(applied) FROM entitlements.backfills"
        (row,) = await database.rows(query)
        return tuple(row) == (0, 3, 3)  # three partitions had anything on them: two accounts and an end

    try:
        for _ in range(2):  # the second start finds nothing to do
            async with looping(EventConsumer("entitlements", consumers.handlers, units, settings, Health())):
                await until(is_finished)
    finally:
        await units.close()
    story = recording.story["subscriptions"]
    access = {
        str(row["subscription_id"]): (row["allowed"], row["state"], row["ended_on"])
        for row in await database.rows("SELECT * FROM entitlements.entitlements")
    }
    assert access == {
        story["kept"]: (True, "active", None),
        story["cancelled"]: (False, "ended", date(2026, 1, 6)),
        story["changed"]: (True, "active", None),
        story["plain"]: (True, "active", None),
        story["suspended"]: (False, "suspended", None),
    }
    announced = await database.rows("SELECT type FROM entitlements.outbox")
    assert [row["type"] for row in announced] == ["goodstanding.entitlements.EntitlementEnded.v1"]
    assert await database.value("SELECT count(*) FROM entitlements.intents") == 0
    assert await database.value("SELECT count(*) FROM entitlements.backfill_marks") == 0
