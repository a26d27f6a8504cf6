"""Types that a service consumes for the first time get their past: in order, each once, and beside what is new."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiokafka import TopicPartition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.base.kafka import MessageEnvelope
from shared.messaging.consumer import EventHandlers, GroupedEvents
from shared.messaging.consumer.ownership import register_partitions
from shared.persistence.database import Unit
from shared.process import intents
from shared.redrive import EventNotAtHead, redrive_parked_events, skip_parked_event
from tests.builders import Database
from tests.component.shared.rehearsal import SERVICE, Broken, Member, Rehearsed, Stage, declare_event, staged

ACCOUNT, OTHER = uuid4(), uuid4()


@pytest.fixture
async def stage(database: Database, jwks_file: Path, together: bool) -> AsyncIterator[Stage]:
    async with staged(database, jwks_file, together=together) as stage:
        yield stage


@pytest.fixture
def later(stage: Stage, together: bool) -> type[Rehearsed]:
    """A second type on the stage's topic, which the service does not consume at first."""
    topic = stage.event.producer

    class HappenedLater(Rehearsed):
        producer = topic

    return HappenedLater


def consume_also(stage: Stage, event: type[Rehearsed], *, together: bool = False) -> None:
    """Let the service consume another type from now on, as a new release does."""
    handlers = EventHandlers()
    for type_ in (stage.event, event):
        if together:
            handlers.declare_group_handler(type_)(stage.handle_many)
        else:
            handlers.on(type_)(stage.handle)
    stage.handlers = handlers


async def offsets(stage: Stage) -> tuple[int, int, bool]:
    """The next offset of the past, of what is new, and whether the past is finished, for partition 0."""
    query = f"SELECT next_offset, finished_at FROM {SERVICE}.backfills WHERE topic = $1 AND partition = 0"
    (row,) = await stage.database.rows(query, stage.topic)
    new = await stage.database.value(
        f"SELECT next_offset FROM {SERVICE}.consumed WHERE topic = $1 AND partition = 0", stage.topic
    )
    return row["next_offset"], new, row["finished_at"] is not None


def past(stage: Stage, later: type[Rehearsed]) -> list[MessageEnvelope]:
    """Two accounts; the later type at offsets 1, 2 and 4."""
    return [
        stage.message(ACCOUNT, 1),
        stage.message(ACCOUNT, 2, event=later),
        stage.message(OTHER, 1, event=later),
        stage.message(ACCOUNT, 3),
        stage.message(ACCOUNT, 4, event=later),
    ]


async def release(stage: Stage, later: type[Rehearsed], together: bool, history: list[MessageEnvelope]) -> Member:
    """Read a history without the later type, then take the partition over with it."""
    before = Member(stage)
    await before.own()
    await before.read(*history)
    consume_also(stage, later, together=together)
    return Member(stage)


async def test_the_past_comes_before_what_is_new_and_once(stage: Stage, later: type[Rehearsed], together: bool) -> None:
    history = past(stage, later)
    member = await release(stage, later, together, history)
    assert await stage.effects(ACCOUNT) == [1, 3]
    assert await member.own() == 0
    await member.read(*history, stage.message(ACCOUNT, 5), first=0)
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([1, 3, 2, 4], [1])
    assert await offsets(stage) == (5, 5, True)
    assert member.client.places[member.partition] == 5
    await member.read(stage.message(ACCOUNT, 5), stage.message(ACCOUNT, 6, event=later), first=5)
    assert await stage.effects(ACCOUNT) == [1, 3, 2, 4, 5, 6]
    assert await Member(stage).own() == 7
    assert await stage.database.value(f"SELECT count(*) FROM {SERVICE}.backfill_marks") == 0


async def test_a_new_installation_has_no_past(stage: Stage, later: type[Rehearsed], together: bool) -> None:
    consume_also(stage, later, together=together)
    member = Member(stage)
    assert await member.own() == 0
    await member.read(*past(stage, later))
    assert await stage.effects(ACCOUNT) == [1, 2, 3, 4]
    assert await stage.database.value(f"SELECT count(*) FROM {SERVICE}.backfills") == 0


async def test_another_member_continues_where_one_stopped(stage: Stage, later: type[Rehearsed], together: bool) -> None:
    history = past(stage, later)
    member = await release(stage, later, together, history)
    await member.own()
    await member.read(*history[:2])
    heir = Member(stage)
    assert await heir.own() == 2
    await member.read(*history[2:], first=2)
    assert await stage.effects(OTHER) == []
    await heir.read(*history[2:], first=2)
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([1, 3, 2, 4], [1])


async def test_what_lies_beyond_the_place_to_go_on_is_read_again_from_there(
    stage: Stage, later: type[Rehearsed], together: bool
) -> None:
    history = past(stage, later)
    member = await release(stage, later, together, history)
    await member.own()
    await member.read(*history[3:], first=3)
    assert await stage.effects(OTHER) == []
    assert member.client.places[member.partition] == 0
    await member.read(*history)
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([1, 3, 2, 4], [1])


async def test_what_was_sent_twice_is_applied_once_and_in_order(
    stage: Stage, later: type[Rehearsed], together: bool
) -> None:
    history = past(stage, later)
    history += history[1:]
    member = await release(stage, later, together, history)
    await member.own()
    await member.read(*history)
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([1, 3, 2, 4], [1])


async def test_what_breaks_stops_its_subject_old_and_new_until_it_is_driven_on(
    stage: Stage, later: type[Rehearsed], together: bool
) -> None:
    history = past(stage, later)
    member = await release(stage, later, together, history)
    stage.broken = {(ACCOUNT, 2)}
    await member.own()
    await member.read(*history)
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([1, 3], [1])
    assert await stage.waiting(ACCOUNT) == {2: "Broken: cannot do 2", 4: None}
    await member.read(stage.message(ACCOUNT, 5), stage.message(OTHER, 2), first=5)
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([1, 3], [1, 2])
    assert list(await stage.waiting(ACCOUNT)) == [2, 4, 5]
    await stage.database.execute(f"UPDATE {SERVICE}.parked SET error = 'of yesterday' WHERE sequence = 2")
    assert await redrive_parked_events(stage.units, stage.handlers, actor="a person") == {"failed": 1, "applied": 0}
    assert await stage.waiting(ACCOUNT) == {2: "Broken: cannot do 2", 4: None, 5: None}
    stage.broken = set()
    assert await redrive_parked_events(stage.units, stage.handlers, actor="a person") == {"applied": 3}
    assert await stage.effects(ACCOUNT) == [1, 3, 2, 4, 5]
    assert (await stage.waiting(ACCOUNT), await stage.mark(ACCOUNT)) == ({}, 5)


async def test_an_event_of_the_past_is_given_up_before_those_behind_it(
    stage: Stage, later: type[Rehearsed], together: bool
) -> None:
    history = past(stage, later)
    member = await release(stage, later, together, history)
    stage.broken = {(ACCOUNT, 2), (ACCOUNT, 4)}
    await member.own()
    await member.read(*history)
    await redrive_parked_events(stage.units, stage.handlers, actor="a person")
    await stage.database.execute(f"UPDATE {SERVICE}.parked SET error = 'broke too' WHERE sequence = 4")
    with pytest.raises(EventNotAtHead):
        await skip_parked_event(stage.units, stage.handlers, history[4].id, actor="a person", reason="broken")
    stage.broken = set()
    await skip_parked_event(stage.units, stage.handlers, history[1].id, actor="a person", reason="broken")
    assert await stage.effects(ACCOUNT) == [1, 3, 4]
    assert (await stage.waiting(ACCOUNT), await stage.mark(ACCOUNT)) == ({}, 4)


async def test_what_waits_beyond_the_watermark_is_left_to_a_redrive(
    stage: Stage, later: type[Rehearsed], together: bool
) -> None:
    stage.broken = {(ACCOUNT, 1)}
    history = past(stage, later)
    member = await release(stage, later, together, history)
    await member.own()
    await member.read(*history)
    assert (await stage.effects(ACCOUNT), await stage.effects(OTHER)) == ([], [1])
    stage.broken = set()
    await redrive_parked_events(stage.units, stage.handlers, actor="a person")
    assert await stage.effects(ACCOUNT) == [1, 2, 3, 4]


async def test_a_type_that_comes_amid_a_backfill_joins_it(stage: Stage, later: type[Rehearsed], together: bool) -> None:
    history = past(stage, later)
    member = await release(stage, later, together, history)
    await member.own()
    await member.read(*history[:2])
    assert await stage.effects(ACCOUNT) == [1, 3, 2]
    before = await stage.database.value(f"SELECT types FROM {SERVICE}.backfills WHERE partition = 0")
    await stage.database.execute(f"UPDATE {SERVICE}.consumed SET types = '{{}}'")
    assert await Member(stage).own() == 0
    after = await stage.database.value(f"SELECT types FROM {SERVICE}.backfills WHERE partition = 0")
    assert set(after) == {*before, stage.event.type()}
    heir = Member(stage)
    await heir.own()
    await heir.read(*history)
    assert await stage.effects(ACCOUNT) == [1, 3, 2, 1, 2, 3, 4]


async def test_a_type_that_another_release_passed_over_meanwhile_is_read_again(
    stage: Stage, later: type[Rehearsed], together: bool
) -> None:
    history = past(stage, later)
    member = await release(stage, later, together, history)
    await member.own()
    await member.read(*history)
    with_both, stage.handlers = stage.handlers, EventHandlers()
    stage.handlers.on(stage.event)(stage.handle)
    former = Member(stage)
    await former.own()
    await former.read(stage.message(OTHER, 2, event=later), first=5)
    assert await stage.effects(OTHER) == [1]
    stage.handlers = with_both
    heir = Member(stage)
    assert await heir.own() == 0
    await heir.read(*history, stage.message(OTHER, 2, event=later))
    assert await stage.effects(OTHER) == [1, 1, 2]


async def test_the_past_calls_nobody(stage: Stage, later: type[Rehearsed], together: bool) -> None:
    async def call(unit: Unit, event: Rehearsed, _: MessageEnvelope) -> None:
        await intents.enqueue_intent(unit, "send_mail", event.account_id, event.n, {})

    history = past(stage, later)
    member = await release(stage, later, together, history)
    stage.handlers = EventHandlers()
    stage.handlers.on(stage.event)(stage.handle)
    stage.handlers.on(later)(call)
    member = Member(stage)
    await member.own()
    await member.read(*history)
    assert await stage.database.value(f"SELECT count(*) FROM {SERVICE}.intents") == 0
    assert await stage.waiting(OTHER) == {1: "PastEventCallsOut: an event of the past wants send_mail"}
    await member.read(stage.message(uuid4(), 1, event=later), first=5)
    assert await stage.database.value(f"SELECT count(*) FROM {SERVICE}.intents") == 1


async def test_the_past_is_never_told_to_kafka_as_the_position(
    stage: Stage, later: type[Rehearsed], together: bool
) -> None:
    history = past(stage, later)
    member = await release(stage, later, together, history)
    await member.own()
    await member.read(*history[:3])
    committed: list[dict[object, int]] = []

    class Client:
        async def commit(self, positions: dict[object, int]) -> None:
            committed.append(positions)

    await member.consumer._tell_kafka(Client())
    assert committed == []
    await member.read(*history[3:], first=3)
    await member.consumer._tell_kafka(Client())
    assert committed == [{member.partition: 5}]


def cut(history: list[MessageEnvelope], sizes: list[int]) -> list[tuple[int, list[MessageEnvelope]]]:
    """Cut a history into batches of these sizes, the last one of all that remains; each with its first offset."""
    batches, at = [], 0
    for size in [*sizes, len(history)]:
        if batch := history[at : at + size]:
            batches.append((at, batch))
        at += size
    return batches


def write_history(
    stage: Stage, later: type[Rehearsed], kinds: list[tuple[bool, bool]]
) -> tuple[list[MessageEnvelope], dict[tuple[UUID, int], bool]]:
    """Write a history of two subjects: for each event whose it is, and whether it is of the later type."""
    subjects = (uuid4(), uuid4())
    history: list[MessageEnvelope] = []
    is_later: dict[tuple[UUID, int], bool] = {}
    for is_second_subject, is_of_later in kinds:
        subject = subjects[is_second_subject]
        n = 1 + sum(envelope.subject == str(subject) for envelope in history)
        history.append(stage.message(subject, n, event=later if is_of_later else None))
        is_later[subject, n] = is_of_later
    return history, is_later


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12),
    repeats=st.integers(0, 5),
    sizes=st.lists(st.integers(1, 4), max_size=4),
    crash=st.booleans(),
)
async def test_in_the_end_each_event_was_applied_once_and_each_type_in_order(
    stage: Stage,
    later: type[Rehearsed],
    together: bool,
    kinds: list[tuple[bool, bool]],
    repeats: int,
    sizes: list[int],
    crash: bool,
) -> None:
    await stage.database.execute(
        f"TRUNCATE {SERVICE}.effects, {SERVICE}.consumed, {SERVICE}.watermarks,"
        f" {SERVICE}.parked, {SERVICE}.backfills, {SERVICE}.backfill_marks"
    )
    history, is_later = write_history(stage, later, kinds)
    history += history[-repeats:] if repeats else []
    stage.handlers = EventHandlers()
    (
        stage.handlers.declare_group_handler(stage.event)(stage.handle_many)
        if together
        else stage.handlers.on(stage.event)(stage.handle)
    )
    member = await release(stage, later, together, history)
    await member.own()
    for offset, batch in cut(history, sizes):
        if crash:
            member = Member(stage)
            await member.own()
        await member.read(*batch, first=offset)
    for subject in {subject for subject, _ in is_later}:
        numbers = [n for s, n in is_later if s == subject]
        assert await stage.effects(subject) == [
            *(n for n in numbers if not is_later[subject, n]),
            *(n for n in numbers if is_later[subject, n]),
        ]
    assert await stage.database.value(f"SELECT count(*) FROM {SERVICE}.parked") == 0


@pytest.fixture
def elsewhere(stage: Stage, together: bool) -> tuple[type[Rehearsed], list[tuple[int, bool]]]:
    """A type on a topic that was not read; and what its handler saw: the number, and whether it is past."""
    event, seen = declare_event(), list[tuple[int, bool]]()

    async def note(unit: Unit, happened: Rehearsed, _: MessageEnvelope) -> None:
        seen.append((happened.n, unit.is_past))
        if (happened.account_id, happened.n) in stage.broken:
            raise Broken(f"cannot do {happened.n}")
        if (happened.account_id, happened.n) in stage.faults:
            await intents.enqueue_intent(unit, "send_mail", happened.account_id, happened.n, {})

    async def note_many(unit: Unit, heard: GroupedEvents) -> None:
        for happened, received in heard.events:
            assert isinstance(happened, Rehearsed)
            with heard.attribute_to_event(unit, received.subject):
                await note(unit, happened, received)

    if together:
        stage.handlers.declare_group_handler(event)(note_many)
    else:
        stage.handlers.on(event)(note)
    return event, seen


async def begin_topic(stage: Stage, event: type[Rehearsed], end: int) -> Member:
    """Own the first partition of a topic that ends there in Kafka."""
    member = Member(stage)
    member.partition = TopicPartition(event.topic(), 0)
    member.client.ends = {member.partition: end}
    await member.own()
    return member


def on_topic(stage: Stage, event: type[Rehearsed], *numbers: int) -> list[MessageEnvelope]:
    return [stage.message(ACCOUNT, n, event=event, topic=event.topic()) for n in numbers]


Elsewhere = tuple[type[Rehearsed], list[tuple[int, bool]]]


async def run_before(stage: Stage) -> None:
    """Let the service have run: it has read something of its first topic."""
    member = Member(stage)
    await stage.units.run(lambda unit: register_partitions(unit, [stage.topic]))
    await member.consumer.on_partitions_assigned({member.partition})
    await member.read(stage.message(OTHER, 1))


async def test_a_topic_that_is_new_to_a_service_that_has_run_is_past_up_to_its_end(
    stage: Stage, elsewhere: Elsewhere
) -> None:
    event, seen = elsewhere
    await run_before(stage)
    member = await begin_topic(stage, event, end=2)
    await member.read(*on_topic(stage, event, 1, 2, 3))
    assert seen == [(1, True), (2, True), (3, False)]
    assert await stage.effects(OTHER) == [1]


async def test_where_the_past_of_a_topic_ends_is_asked_once(stage: Stage, elsewhere: Elsewhere) -> None:
    event, seen = elsewhere
    await run_before(stage)
    await begin_topic(stage, event, end=1)
    heir = await begin_topic(stage, event, end=3)
    await heir.read(*on_topic(stage, event, 1, 2, 3))
    assert seen == [(1, True), (2, False), (3, False)]


async def test_all_topics_of_a_new_installation_are_new(stage: Stage, elsewhere: Elsewhere) -> None:
    event, seen = elsewhere
    member = await begin_topic(stage, event, end=2)
    await member.read(*on_topic(stage, event, 1, 2))
    assert seen == [(1, False), (2, False)]


async def test_what_was_parked_of_the_past_stays_past_when_it_is_driven_on(stage: Stage, elsewhere: Elsewhere) -> None:
    event, seen = elsewhere
    await run_before(stage)
    stage.broken = {(ACCOUNT, 1)}
    member = await begin_topic(stage, event, end=2)
    await member.read(*on_topic(stage, event, 1, 2, 3))
    stage.broken = set()
    seen.clear()
    await redrive_parked_events(stage.units, stage.handlers, actor="a person")
    assert seen == [(1, True), (2, True), (3, False)]


async def test_the_past_of_a_topic_calls_nobody(stage: Stage, elsewhere: Elsewhere) -> None:
    event, _ = elsewhere
    await run_before(stage)
    stage.faults = {(ACCOUNT, 1): [], (ACCOUNT, 2): []}
    member = await begin_topic(stage, event, end=1)
    await member.read(*on_topic(stage, event, 1))
    assert await stage.waiting(ACCOUNT) == {1: "PastEventCallsOut: an event of the past wants send_mail"}
    assert await stage.database.value(f"SELECT count(*) FROM {SERVICE}.intents") == 0
    stage.faults = {(ACCOUNT, 2): []}
    await redrive_parked_events(stage.units, stage.handlers, actor="a person")
    await member.read(*on_topic(stage, event, 2), first=1)
    assert await stage.database.value(f"SELECT count(*) FROM {SERVICE}.intents") == 1
