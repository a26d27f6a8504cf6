"""Events that a statement writes for many subjects have the headers of those that are written one by one."""

from uuid import UUID

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.persistence.outbox import BUILD_OWN_HEADERS, build_own_headers
from tests.builders import Database

SUBJECTS = st.one_of(st.uuids().map(str), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
EVENTS = st.lists(st.tuples(SUBJECTS, st.integers(0, 2**63 - 1)), min_size=1, max_size=30)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
async def test_headers_of_an_event_are_the_same_in_both_ways(database: Database, events: list[tuple[str, int]]) -> None:
    rows = await database.rows(
        f"SELECT {BUILD_OWN_HEADERS} AS headers FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY"
        " AS e (subject, sequence, place) ORDER BY place",
        *zip(*events, strict=True),
    )
    written = [orjson.loads(row["headers"]) for row in rows]
    built = [build_own_headers(*event) for event in events]
    ids = [headers.pop("ce_id") for headers in [*written, *built]]
    assert written == built
    assert len({UUID(event_id) for event_id in ids}) == len(ids)
