"""Redrive on real Postgres: from the head, in order, also while new events come; or given up by a person."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from shared.persistence.parked_events import list_parked_heads, stop_consumer_group
from shared.pure.errors import NotFound
from shared.redrive import EventNotAtHead, redrive_parked_events, resume_stopped_group, skip_parked_event
from tests.builders import Database
from tests.component.shared.rehearsal import Member, Stage, staged

ACCOUNT, OTHER = uuid4(), uuid4()


@pytest.fixture
async def stage(database: Database, jwks_file: Path, together: bool) -> AsyncIterator[Stage]:
    """As elsewhere, with either kind of handler."""
    async with staged(database, jwks_file, together=together) as stage:
        yield stage


async def make_poisoned_member(stage: Stage, *broken: int, last: int = 5) -> Member:
    """Make a member that has read events 1 to `last` of an account, some of which broke."""
    stage.broken = {(ACCOUNT, n) for n in broken}
    member = Member(stage)
    await member.own()
    await member.read(*(stage.message(ACCOUNT, n) for n in range(1, last + 1)))
    return member


async def test_the_head_and_its_followers_are_applied_in_order(stage: Stage) -> None:
    await make_poisoned_member(stage, 2)
    assert await stage.effects(ACCOUNT) == [1]
    stage.broken = set()
    await redrive_parked_events(stage.units, stage.handlers, actor="operator 3")
    assert await stage.effects(ACCOUNT) == [1, 2, 3, 4, 5]
    assert (await stage.waiting(ACCOUNT), await stage.mark(ACCOUNT)) == ({}, 5)


async def test_a_head_that_breaks_again_stays_with_its_new_error(stage: Stage) -> None:
    await make_poisoned_member(stage, 2)
    done = await redrive_parked_events(stage.units, stage.handlers, actor="operator 3")
    assert (done["failed"], await stage.effects(ACCOUNT)) == (1, [1])
    assert await stage.waiting(ACCOUNT) == {2: "Broken: cannot do 2", 3: None, 4: None, 5: None}


async def test_what_can_be_applied_is_though_a_follower_breaks(stage: Stage) -> None:
    await make_poisoned_member(stage, 2, 4)
    stage.broken = {(ACCOUNT, 4)}
    done = await redrive_parked_events(stage.units, stage.handlers, actor="operator 3")
    assert await stage.effects(ACCOUNT) == [1, 2, 3]
    assert await stage.waiting(ACCOUNT) == {4: "Broken: cannot do 4", 5: None}
    assert done["failed"] == 1


async def test_one_subject_alone(stage: Stage) -> None:
    member = await make_poisoned_member(stage, 2)
    stage.broken |= {(OTHER, 1)}
    await member.read(stage.message(OTHER, 1), first=5)
    stage.broken = set()
    await redrive_parked_events(stage.units, stage.handlers, str(OTHER), actor="operator 3")
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([1], [1])


async def test_events_that_come_meanwhile_are_applied_once_and_in_order(stage: Stage) -> None:
    member = await make_poisoned_member(stage, 2, last=30)
    stage.broken = set()

    async def go_on() -> None:
        for n in range(31, 61):
            await member.read(stage.message(ACCOUNT, n), first=n - 1)

    await asyncio.gather(go_on(), redrive_parked_events(stage.units, stage.handlers, actor="operator 3"))
    await redrive_parked_events(stage.units, stage.handlers, actor="operator 3")
    assert await stage.effects(ACCOUNT) == list(range(1, 61))
    assert await stage.waiting(ACCOUNT) == {}


async def test_a_head_is_given_up_with_who_and_why(stage: Stage) -> None:
    await make_poisoned_member(stage, 2, 4)
    (head,) = await stage.units.run(lambda unit: list_parked_heads(unit.connection))
    await skip_parked_event(stage.units, stage.handlers, head["event_id"], actor="operator 3", reason="sent by mistake")
    assert await stage.effects(ACCOUNT) == [1, 3]
    assert sorted(await stage.waiting(ACCOUNT)) == [4, 5]
    kept = await stage.database.rows("SELECT sequence, actor, reason, data FROM collections.skipped")
    assert [tuple(row)[:3] for row in kept] == [(2, "operator 3", "sent by mistake")]
    assert b'"n":2' in kept[0]["data"]


async def test_only_the_head_that_stops_a_subject_can_be_given_up(stage: Stage) -> None:
    await make_poisoned_member(stage, 2)
    follower = await stage.database.value("SELECT event_id FROM collections.parked WHERE sequence = 3")
    with pytest.raises(NotFound):
        await skip_parked_event(stage.units, stage.handlers, follower, actor="a", reason="r")
    await stage.database.execute("UPDATE collections.parked SET error = 'broke as well' WHERE sequence = 3")
    with pytest.raises(EventNotAtHead):
        await skip_parked_event(stage.units, stage.handlers, follower, actor="a", reason="r")
    assert sorted(await stage.waiting(ACCOUNT)) == [2, 3, 4, 5]


@pytest.mark.parametrize("by", ["redrive", "the next event"])
async def test_followers_whose_head_is_gone_are_not_forgotten(stage: Stage, by: str) -> None:
    member = await make_poisoned_member(stage, 2)
    stage.broken = set()
    # As after a crash between giving the head up and going on.
    await stage.database.execute("DELETE FROM collections.parked WHERE sequence = 2")
    await stage.database.execute("UPDATE collections.watermarks SET sequence = 2")
    if by == "redrive":
        assert await redrive_parked_events(stage.units, stage.handlers, actor="operator 3") == {"applied": 3}
    await member.read(stage.message(ACCOUNT, 6), first=5)
    assert await stage.effects(ACCOUNT) == [1, 3, 4, 5, 6]
    assert await stage.waiting(ACCOUNT) == {}


async def test_who_drove_on_gave_up_and_let_go_on_stands_in_the_audit(stage: Stage) -> None:
    await make_poisoned_member(stage, 2, 4)
    first, second = [
        (await stage.database.value("SELECT event_id FROM collections.parked WHERE sequence = $1", n)) for n in (2, 4)
    ]
    stage.broken = {(ACCOUNT, 4)}
    await redrive_parked_events(stage.units, stage.handlers, actor="operator 3")
    await redrive_parked_events(stage.units, stage.handlers, actor="operator 4")  # nothing can be applied
    await skip_parked_event(stage.units, stage.handlers, second, actor="operator 5", reason="sent by mistake")
    await resume_stopped_group(stage.units, "collections", actor="operator 6")  # it is not stopped
    await stage.units.run(lambda unit: stop_consumer_group(unit.connection, "a flood"))
    await resume_stopped_group(stage.units, "collections", actor="operator 7")
    rows = await stage.database.rows("SELECT * FROM collections.audit_entries ORDER BY id")
    entries = [(row["actor"], row["action"], row["object_type"], row["object_id"]) for row in rows]
    assert entries[0] == ("operator 3", "parked_event.redrive", "event", first)
    assert entries[1] == ("operator 5", "parked_event.skip", "event", second)
    assert [entry[:2] for entry in entries[2:-1]] == [("operator 5", "parked_event.redrive")]
    assert entries[-1] == ("operator 7", "consumer_group.resume", "consumer_group", "collections")
    assert (rows[0]["account_id"], rows[0]["cause_id"]) == (ACCOUNT, first)
    assert json.loads(rows[1]["personal"]) == {"reason": "sent by mistake"}
