"""A handler that takes what a batch has of its events in one call."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from shared.base.kafka import MessageEnvelope
from shared.persistence.database import Unit
from tests.builders import Database
from tests.component.shared.rehearsal import Member, Rehearsed, Stage, Unheard, declare_event, staged

ACCOUNT, OTHER = uuid4(), uuid4()


@pytest.fixture
async def stage(database: Database, jwks_file: Path) -> AsyncIterator[Stage]:
    async with staged(database, jwks_file, together=True) as stage:
        yield stage


async def test_a_batch_is_handed_over_once_and_one_that_breaks_one_by_one(stage: Stage) -> None:
    member = Member(stage)
    await member.own()
    await member.read(*(stage.message(account, n) for n in (1, 2) for account in (ACCOUNT, OTHER)))
    assert stage.handed_over == [4]
    stage.broken = {(ACCOUNT, 3)}
    await member.read(*(stage.message(account, 3) for account in (OTHER, ACCOUNT)), first=4)
    assert stage.handed_over == [4, 2, 1, 1]
    assert await stage.waiting(ACCOUNT) == {3: "Broken: cannot do 3"}
    assert await stage.effects(OTHER) == [1, 2, 3]


async def test_what_was_gathered_is_handed_over_before_another_event_is_handled(stage: Stage) -> None:
    seen: list[int] = []

    async def other(_: Unit, event: Rehearsed, __: MessageEnvelope) -> None:
        seen.append(len(stage.handed_over))

    stage.handlers.on(Unheard)(other)
    messages = [stage.message(ACCOUNT, n, event=Unheard if n == 3 else None) for n in range(1, 6)]
    await stage.hear(*messages)
    assert (seen, stage.handed_over) == ([1], [2, 2])


async def test_what_follows_names_the_last_event_of_its_subject_as_the_cause(stage: Stage) -> None:
    stage.echo = declare_event()
    first, last, other = stage.message(ACCOUNT, 1), stage.message(ACCOUNT, 2), stage.message(OTHER, 1)
    await stage.hear(first, other, last)
    causes = {headers["ce_subject"]: headers["ce_causationid"] for headers in await stage.outbox()}
    assert causes == {str(ACCOUNT): last.id, str(OTHER): other.id}
