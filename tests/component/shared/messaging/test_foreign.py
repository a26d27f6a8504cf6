"""A message whose source or type is not that of its topic has no effect, moves nothing, and is counted."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.messaging.consumer.backfill import apply_past_events, lock_backfill, start_backfill
from shared.persistence.database import Unit
from tests.builders import Database
from tests.component.shared.rehearsal import Member, Stage, declare_event, record, staged

ACCOUNT = uuid4()


@pytest.fixture
async def stage(database: Database, jwks_file: Path) -> AsyncIterator[Stage]:
    async with staged(database, jwks_file) as rehearsal:
        yield rehearsal


def count_foreign(stage: Stage) -> float | None:
    labels = {"topic": stage.topic, "outcome": "foreign"}
    return REGISTRY.get_sample_value("goodstanding_consumer_events_total", labels)


@pytest.mark.parametrize(
    "headers",
    [
        {"ce_source": "/goodstanding/escalation"},
        {"ce_source": "/goodstanding/{own}/"},
        {"ce_source": ""},
        {"ce_type": "goodstanding.escalation.CaseOpened.v1"},
        {"ce_type": "goodstanding.{own}x.Happened.v1"},
        {"ce_type": "com.elsewhere.Happened.v1"},
        {"ce_source": "/goodstanding/escalation", "ce_sequence": "1\u0000"},
    ],
)
async def test_a_foreign_message_is_dropped_and_counted(stage: Stage, headers: dict[str, str]) -> None:
    changes = {name: text.format(own=stage.event.producer) for name, text in headers.items()}
    foreign = stage.message(ACCOUNT, 1)
    foreign.headers.update(changes)
    member = Member(stage)
    await member.own()
    assert count_foreign(stage) == 0
    with capture_logs() as logs:
        await member.read(foreign)
    assert await stage.effects(ACCOUNT) == []
    assert await stage.database.rows("SELECT 1 FROM collections.watermarks") == []
    assert await stage.database.rows("SELECT 1 FROM collections.parked") == []
    assert count_foreign(stage) == 1
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert (line["topic"], line["count"]) == (stage.topic, 1)
    await member.read(stage.message(ACCOUNT, 1), first=1)
    assert await stage.effects(ACCOUNT) == [1]
    assert await stage.mark(ACCOUNT) == 1


async def test_a_foreign_message_amid_a_batch_takes_no_sequence(stage: Stage) -> None:
    foreign = stage.message(ACCOUNT, 2, ce_source="/goodstanding/escalation")
    member = Member(stage)
    await member.own()
    await member.read(stage.message(ACCOUNT, 1), foreign, stage.message(ACCOUNT, 2))
    assert await stage.effects(ACCOUNT) == [1, 2]
    assert await stage.waiting(ACCOUNT) == {}
    assert member.consumer.counts == {"handled": 2, "foreign": 1}
    assert member.consumer.progress.positions[member.partition] == 3


async def test_a_type_of_the_producer_that_is_not_known_here_is_no_foreign_one(stage: Stage) -> None:
    newer = stage.message(ACCOUNT, 1, ce_type=f"goodstanding.{stage.event.producer}.Happened.v2")
    member = Member(stage)
    await member.own()
    await member.read(newer)
    assert (await stage.mark(ACCOUNT), member.consumer.counts) == (1, {"unknown": 1})


async def test_the_past_of_a_type_has_no_foreign_message(stage: Stage) -> None:
    member, other = Member(stage), declare_event()
    await member.own()
    own = stage.message(ACCOUNT, 1)
    forged = stage.message(ACCOUNT, 1, ce_source=f"/goodstanding/{other.producer}")
    await stage.database.execute(
        "INSERT INTO collections.watermarks (topic, subject, sequence) VALUES ($1, $2, 1)", stage.topic, str(ACCOUNT)
    )

    async def read_past(unit: Unit) -> dict[str, int]:
        await start_backfill(unit, member.partition, [stage.event.type()], 2)
        past = await lock_backfill(unit, member.partition)
        assert past is not None
        records = [record(member.partition, 0, forged), record(member.partition, 1, own)]
        return await apply_past_events(unit, stage.handlers, past, records)

    counts = await stage.units.run(read_past)
    assert counts["backfilled"] == 1
    assert counts["dropped"] == 0
