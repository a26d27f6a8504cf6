"""A release that consumes a type for the first time, started on what the release before has left."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from services.entitlements import consumers
from shared.consumer import Consumer, Handlers
from shared.database import Unit, Units
from shared.events.invoicing import SubscriptionChanged, SubscriptionEnded
from shared.health import Health
from shared.kafka import Envelope
from shared.migrate import migrate_at
from shared.wakeups import Wakeups
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
    """The database after the upgrade, with a table for what a handler saw."""
    await migrate_at(postgres.url("owner", NAME), ("entitlements",))
    upgraded = Database(postgres, NAME)
    await upgraded.install_clock()
    await upgraded.execute("CREATE TABLE entitlements.seen (place bigint GENERATED ALWAYS AS IDENTITY, what text)")
    await upgraded.execute("GRANT SELECT, INSERT ON entitlements.seen TO entitlements")
    return upgraded


def consume_more() -> Handlers:
    """Make the handlers of a release that consumes two more types."""
    handlers = Handlers()
    handlers._handlers |= consumers.handlers._handlers

    async def note(unit: Unit, event: SubscriptionChanged | SubscriptionEnded, _: Envelope) -> None:
        what = f"{type(event).__name__} {event.subscription_id} {unit.is_past}"
        await unit.connection.execute("INSERT INTO seen (what) VALUES ($1)", what)

    handlers.on(SubscriptionChanged)(note)
    handlers.on(SubscriptionEnded)(note)
    return handlers


async def test_the_past_of_new_types_is_applied_and_nothing_else_is_again(
    recording: Recording, database: Database, kafka: KafkaServer, jwks_file: Path
) -> None:
    before = await database.rows("SELECT * FROM entitlements.entitlements ORDER BY subscription_id")
    settings = settings_for("entitlements", database, jwks_file, kafka=kafka.bootstrap)
    units = Units(settings, Wakeups())

    async def is_finished() -> bool:
        query = "SELECT count(*) FILTER (WHERE finished_at IS NULL), count(*) FROM entitlements.backfills"
        (row,) = await database.rows(query)
        return tuple(row) == (0, 3)  # three partitions of invoicing.events had anything on them

    try:
        for _ in range(2):  # the second start finds nothing to do
            async with looping(Consumer("entitlements", consume_more(), units, settings, Health())):
                await until(is_finished)
    finally:
        await units.close()
    seen = [row["what"] for row in await database.rows("SELECT what FROM entitlements.seen ORDER BY place")]
    story = recording.story["subscriptions"]
    assert seen == [f"SubscriptionChanged {story['changed']} True", f"SubscriptionEnded {story['cancelled']} True"]
    assert await database.rows("SELECT * FROM entitlements.entitlements ORDER BY subscription_id") == before
    assert len(before) == 5
    assert await database.value("SELECT count(*) FROM entitlements.outbox") == 0
    assert await database.value("SELECT count(*) FROM entitlements.intents") == 0
    assert await database.value("SELECT count(*) FROM entitlements.backfill_marks") == 0
