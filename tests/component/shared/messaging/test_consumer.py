"""The consumer's rules on real Postgres: each event once, in the order of its subject, whatever arrives."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.ports import find_free_port
from shared.base.kafka import MessageEnvelope
from shared.base.retries import QUICK_ATTEMPTS
from shared.persistence import parked_events
from shared.persistence.database import Units
from shared.pure.errors import Unavailable
from tests.builders import Database
from tests.component.shared.rehearsal import Member, Stage, Unheard, raw_record, staged

ACCOUNT, OTHER = uuid4(), uuid4()


@pytest.fixture
async def stage(database: Database, jwks_file: Path, together: bool) -> AsyncIterator[Stage]:
    """As elsewhere, with either kind of handler."""
    async with staged(database, jwks_file, together=together) as stage:
        yield stage


def messages(stage: Stage, *numbers: int) -> list[MessageEnvelope]:
    return [stage.message(ACCOUNT, n) for n in numbers]


async def test_a_repeated_and_an_older_event_change_nothing(stage: Stage) -> None:
    first, second = messages(stage, 1, 2)
    await stage.hear(first, second, second)
    counts = await stage.hear(second, first)
    assert await stage.effects(ACCOUNT) == [1, 2]
    assert counts == {"dropped": 2}
    assert await stage.mark(ACCOUNT) == 2


async def test_what_is_ahead_waits_and_follows_by_itself(stage: Stage) -> None:
    await stage.hear(*messages(stage, 1, 4, 3), stage.message(OTHER, 1))
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([1], [1])
    assert await stage.waiting(ACCOUNT) == {3: None, 4: None}
    await stage.hear(*messages(stage, 2))
    assert await stage.effects(ACCOUNT) == [1, 2, 3, 4]
    assert await stage.waiting(ACCOUNT) == {}


async def test_an_event_that_nobody_handles_moves_the_sequence_on(stage: Stage) -> None:
    unknown = stage.message(ACCOUNT, 2, ce_type="goodstanding.rehearsal.NotYetInvented.v7")
    unheard = stage.message(ACCOUNT, 3, event=Unheard)
    counts = await stage.hear(*messages(stage, 1), unknown, unheard, *messages(stage, 4))
    assert await stage.effects(ACCOUNT) == [1, 4]
    assert counts == {"handled": 2, "passed": 1, "unknown": 1}


async def test_a_poison_message_stops_its_subject_only(stage: Stage) -> None:
    stage.broken = {(ACCOUNT, 2)}
    member = Member(stage)
    await member.own()
    batch = [stage.message(ACCOUNT, 1), stage.message(ACCOUNT, 2), stage.message(OTHER, 1), stage.message(ACCOUNT, 3)]
    await member.read(*batch, stage.message(OTHER, 2))
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([1], [1, 2])
    waiting = await stage.waiting(ACCOUNT)
    assert waiting == {2: "Broken: cannot do 2", 3: None}
    await member.read(stage.message(ACCOUNT, 4), stage.message(OTHER, 3), first=5)
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([1], [1, 2, 3])
    assert list(await stage.waiting(ACCOUNT)) == [2, 3, 4]


async def test_a_follower_that_breaks_becomes_the_head_and_what_it_waited_for_is_done(stage: Stage) -> None:
    stage.broken = {(ACCOUNT, 2)}
    member = Member(stage)
    await member.own()
    await member.read(*messages(stage, 2, 3))
    await member.read(*messages(stage, 1), first=2)
    assert await stage.effects(ACCOUNT) == [1]
    assert await stage.waiting(ACCOUNT) == {2: "Broken: cannot do 2", 3: None}


async def test_a_transient_failure_runs_the_batch_again_and_parks_nothing(stage: Stage) -> None:
    stage.faults = {(ACCOUNT, 2): [asyncpg.DeadlockDetectedError("deadlock"), ConnectionResetError("gone")]}
    member = Member(stage)
    await member.own()
    await member.read(*messages(stage, 1, 2, 3))
    assert await stage.effects(ACCOUNT) == [1, 2, 3]
    assert await stage.waiting(ACCOUNT) == {}


async def test_a_database_that_goes_away_within_a_batch_loses_nothing(stage: Stage) -> None:
    stage.broken = {(OTHER, 1)}  # so the batch is applied one by one
    stage.faults = {(ACCOUNT, 1): [ConnectionResetError("gone") for _ in range(QUICK_ATTEMPTS)]}
    member = Member(stage)
    await member.own()
    batch = [stage.message(OTHER, 1), *messages(stage, 1, 2)]
    await member.read(*batch)
    again = member.client.places[member.partition]
    await member.read(*batch[again:], first=again)
    assert await stage.effects(ACCOUNT) == [1, 2]
    assert list(await stage.waiting(OTHER)) == [1]


async def test_a_member_that_lost_the_partition_drops_its_batch(stage: Stage) -> None:
    former, owner = Member(stage), Member(stage)
    await former.own()
    await owner.own()
    await former.read(*messages(stage, 1))
    assert await stage.effects(ACCOUNT) == []
    await owner.read(*messages(stage, 1))
    assert await stage.effects(ACCOUNT) == [1]


async def test_what_was_read_beyond_a_dropped_batch_is_read_again_from_there(stage: Stage) -> None:
    former, heir = Member(stage), Member(stage)
    await former.own()
    await former.read(*messages(stage, 1, 2))
    await heir.read(*messages(stage, 3, 4), first=2)  # read before it was told that it owns the partition: dropped
    assert await heir.own() == 2
    await heir.read(*messages(stage, 5), first=4)  # was in hand already
    assert (await stage.effects(ACCOUNT), await stage.waiting(ACCOUNT)) == ([1, 2], {})
    assert heir.client.places[heir.partition] == 2
    await heir.read(*messages(stage, 3, 4, 5), first=2)
    assert await stage.effects(ACCOUNT) == [1, 2, 3, 4, 5]


async def test_what_the_topic_no_longer_has_is_waited_for_once(stage: Stage) -> None:
    member = Member(stage)
    await member.own()
    for _ in range(2):  # read from 0, but the topic begins at 7
        await member.read(*messages(stage, 1, 2), first=7)
    assert await stage.effects(ACCOUNT) == [1, 2]
    await member.read(*messages(stage, 3), first=12)
    assert await stage.effects(ACCOUNT) == [1, 2]
    assert member.client.places[member.partition] == 9


async def test_a_batch_from_long_ago_does_not_turn_the_partition_back(stage: Stage) -> None:
    member = Member(stage)
    await member.own()
    await member.read(*messages(stage, 1, 2, 3))
    await member.read(*messages(stage, 1))
    await member.read(*messages(stage, 4), first=3)
    assert await stage.effects(ACCOUNT) == [1, 2, 3, 4]


async def test_a_member_that_lost_the_partition_parks_nothing(stage: Stage) -> None:
    former, owner = Member(stage), Member(stage)
    await former.own()
    stage.broken = {(ACCOUNT, 1)}
    apply = former.consumer._in_one_unit

    async def overtaken(*arguments: Any) -> None:
        try:
            await apply(*arguments)
        finally:
            stage.broken = set()
            await owner.own()
            await owner.read(*messages(stage, 1))

    former.consumer._in_one_unit = overtaken
    await former.read(*messages(stage, 1))
    assert await stage.effects(ACCOUNT) == [1]
    assert await stage.waiting(ACCOUNT) == {}


async def test_after_a_crash_the_database_says_where_to_go_on(stage: Stage) -> None:
    crashed = Member(stage)
    assert await crashed.own() == 0
    await crashed.read(*messages(stage, 1, 2, 3))  # and dies before it tells Kafka
    heir = Member(stage)
    assert await heir.own() == 3
    await heir.read(*messages(stage, 1, 2, 3, 4))  # Kafka knew nothing, so it gives them all again
    assert await stage.effects(ACCOUNT) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ({"ce_id": None}, b"{}"),
        ({"ce_subject": None}, b"{}"),
        ({"ce_sequence": b"three"}, b"{}"),
        ({"ce_sequence": b"9223372036854775808"}, b"{}"),
        ({"ce_sequence": b"0"}, b"{}"),
        ({"ce_sequence": b"-1"}, b"{}"),
        ({"ce_time": b"yesterday"}, b"{}"),
        ({"ce_subject": b"a\x00b"}, b"{}"),
        ({"ce_subject": b"x" * 100_000}, b"{}"),
        ({"ce_id": b"\xff\x00"}, b"\x00\xff"),
        ({"ce_type": None, "more": b"\x00"}, None),
    ],
)
async def test_a_message_that_is_no_event_of_ours_is_kept_and_stops_nothing(
    stage: Stage, changed: dict[str, bytes | None], value: bytes | None
) -> None:
    member = Member(stage)
    await member.own()
    named: dict[str, bytes | None] = {name: text.encode() for name, text in stage.message(ACCOUNT, 1).headers.items()}
    named |= changed
    headers = [(name, text) for name, text in named.items() if text is not None]
    await member.consumer._apply(member.partition, [raw_record(member.partition, 0, value, headers)])
    await member.read(stage.message(ACCOUNT, 1), first=1)
    assert await stage.effects(ACCOUNT) == [1]
    kept = await stage.database.rows("SELECT subject, type, data FROM collections.parked")
    assert [tuple(row) for row in kept] == [("0:0", "unreadable", value or b"")]


async def test_a_header_without_a_value_stops_nothing(stage: Stage) -> None:
    member = Member(stage)
    await member.own()
    await member.consumer._apply(member.partition, [raw_record(member.partition, 0, None, [("ce_id", None)])])
    await member.read(stage.message(ACCOUNT, 1), first=1)
    assert await stage.effects(ACCOUNT) == [1]


async def test_a_payload_that_cannot_be_read_is_a_poison_message(stage: Stage) -> None:
    member = Member(stage)
    await member.own()
    headers = [(name, text.encode()) for name, text in stage.message(ACCOUNT, 1).headers.items()]
    await member.consumer._apply(member.partition, [raw_record(member.partition, 0, b'{"n": "x"}', headers)])
    await member.read(stage.message(ACCOUNT, 2), stage.message(OTHER, 1), first=1)
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([], [1])
    assert (await stage.waiting(ACCOUNT))[2] is None
    assert "Input should be a valid integer" in str((await stage.waiting(ACCOUNT))[1])


async def poison(stage: Stage, member: Member, number: int, first: int = 0) -> None:
    """Let events of so many accounts break."""
    accounts = [uuid4() for _ in range(number)]
    stage.broken |= {(account, 1) for account in accounts}
    await member.read(*(stage.message(account, 1) for account in accounts), first=first)


async def test_too_many_heads_stop_the_group_until_it_is_told_to_go_on(stage: Stage) -> None:
    member = Member(stage)
    await member.own()
    await poison(stage, member, 19)
    assert not await member.consumer._is_stopped_by_flood()
    await poison(stage, member, 1, first=19)
    assert await member.consumer._is_stopped_by_flood()
    assert (
        await stage.units.run(lambda unit: parked_events.find_group_stop_reason(unit.connection))
        == "20 events were parked within 60 s"
    )
    await stage.units.run(lambda unit: parked_events.resume_consumer_group(unit.connection))
    assert await stage.units.run(lambda unit: parked_events.find_group_stop_reason(unit.connection)) is None


async def test_heads_of_long_ago_do_not_count_for_the_flood(stage: Stage) -> None:
    member = Member(stage)
    await member.own()
    await poison(stage, member, 19)
    await stage.database.execute("UPDATE collections.parked SET parked_at = parked_at - interval '61 seconds'")
    await poison(stage, member, 1, first=19)
    assert not await member.consumer._is_stopped_by_flood()


async def test_nothing_is_read_of_a_partition_before_it_is_owned(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    member, paused = Member(stage), list[bool]()
    monkeypatch.setattr(
        member.client, "seek", lambda partition, offset: paused.append(partition in member.client.paused)
    )
    await stage.units.run(member.consumer._register)
    await member.consumer.on_partitions_assigned({member.partition})
    assert paused == [True]
    assert not member.client.paused


async def test_an_assignment_that_the_database_did_not_note_starts_the_member_afresh(stage: Stage) -> None:
    member = Member(stage)
    await member.own()
    away = stage.settings.model_copy(update={"database_url": f"postgresql://nobody@127.0.0.1:{find_free_port()}/none"})
    member.consumer._units = Units(away, stage.wakeups)
    with pytest.raises(Unavailable):
        await member.consumer.on_partitions_assigned({member.partition})
    with pytest.raises(Unavailable):  # Kafka's client only logs the first one
        await asyncio.wait_for(member.consumer._read(member.client), 5)
