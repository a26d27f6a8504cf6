"""Stories that are told on two topics, heard in any order in which readers may come to hear them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from shared.events import Event
from shared.messaging.consumer.batch import MessageBatch
from shared.persistence.database import Unit
from shared.process.runtime import Runtime
from tests.builders import START, Database, message

Order = Sequence[tuple[int, bool]]
"""Which topic is read next, and whether from its beginning, as by a member that follows one that died."""
FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""Each example has an account of its own, so they may share a database."""
FEWER = settings(FEW, max_examples=6)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|GS-[0-9a-f]{4}\b")


def orders(*lengths: int) -> st.SearchStrategy[Order]:
    """Orders of topics with so many events, each read in its own order."""
    topics = [topic for topic, length in enumerate(lengths) for _ in range(length)]
    again = st.lists(st.booleans(), min_size=len(topics), max_size=len(topics))
    return st.tuples(st.permutations(topics), again).map(lambda drawn: tuple(zip(*drawn, strict=True)))


def one_by_one(*topics: int) -> Order:
    """This order, with nothing read twice."""
    return tuple((topic, False) for topic in topics)


async def read(
    runtime: Runtime,
    events_by_topic: Sequence[Sequence[Event]],
    order: Order,
    before: Sequence[int] = (0, 0),
    at: datetime = START,
) -> None:
    """Let a service read these topics; `before` are the sequences of the last events before them."""
    places = [0] * len(events_by_topic)
    messages = [
        [message(event, number, at) for number, event in enumerate(events, first + 1)]
        for events, first in zip(events_by_topic, before, strict=True)
    ]
    for topic, again in order:
        places[topic] += 1
        batch = messages[topic][0 if again else places[topic] - 1 : places[topic]]

        async def apply(unit: Unit, batch: Sequence[Any] = batch) -> None:
            await MessageBatch(unit, runtime.service.handlers, Counter()).apply_messages(batch[0].topic, batch)

        await runtime.units.run(apply)
    waiting = "SELECT count(*) FROM parked WHERE subject = $1"
    subject = messages[0][0].subject
    assert await runtime.units.run(lambda unit: unit.connection.fetchval(waiting, subject)) == 0


async def rows(
    database: Database, service: str, account_id: UUID, names: Mapping[UUID, str], tables: Mapping[str, str]
) -> list[str]:
    """The rows of an account, in words that are the same for every account: ids by name, what is made up as `?`.

    `tables` names the columns of each table that tell only of the order.
    """
    texts = []
    for table, but in tables.items():
        query = f"SELECT (to_jsonb(t) - $2::text[])::text AS row FROM {service}.{table} t WHERE account_id = $1"
        texts += [f"{table} {row['row']}" for row in await database.rows(query, account_id, but.split())]
    return in_words(texts, names)


async def list_announcements(
    database: Database, service: str, account_id: UUID, names: Mapping[UUID, str]
) -> list[str]:
    """List what a service announced of an account, in the same words; not in which order."""
    query = f"SELECT type, data FROM {service}.outbox WHERE subject = $1"
    texts = [f"{row['type']} {row['data']}" for row in await database.rows(query, str(account_id))]
    return in_words(texts, names)


def in_words(texts: Sequence[str], names: Mapping[UUID, str]) -> list[str]:
    """With ids by name, in alphabetical order."""
    name_by_id = {str(id_): name for id_, name in names.items()}
    return sorted(_ID.sub(lambda match: name_by_id.get(match.group(), "?"), text) for text in texts)
