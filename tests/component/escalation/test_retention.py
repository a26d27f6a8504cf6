"""Words are removed when the domain says that their time is over, and pending work names them from then on."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.escalation.domain.removals import MAX_RETENTION_DAYS, MIN_RETENTION_DAYS, is_retention_over
from services.escalation.repository.removal_queries import IS_RETENTION_OVER
from tests.builders import Database
from tests.component.shadow_tables import hide_tables, insert_rows

NOW = datetime(2126, 4, 1, 12, tzinfo=UTC)
"""Late enough for the longest period, and after clocks were changed in some zones."""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(days=31, seconds=[-1, 0, 1])
@given(
    days=st.integers(MIN_RETENTION_DAYS, MAX_RETENTION_DAYS),
    seconds=st.lists(st.integers(-7200, 7200), min_size=1, max_size=30),
)
async def test_retention_is_over_when_the_domain_says(database: Database, days: int, seconds: list[int]) -> None:
    since = [NOW - timedelta(days=days, seconds=second) for second in seconds]
    async with database.connected("escalation") as connection, connection.transaction():
        await hide_tables(connection, ["retention_period"], "escalation")
        await insert_rows(connection, "retention_period", [{"id": 1, "days": days}])
        rows = await connection.fetch(
            f"SELECT {IS_RETENTION_OVER.format('words_since')} AS is_over"
            " FROM unnest($2::timestamptz[]) WITH ORDINALITY AS c (words_since, place) ORDER BY place",
            NOW,
            since,
        )
    assert [row["is_over"] for row in rows] == [is_retention_over(instant, days, NOW) for instant in since]


INSERT_CASES = """
INSERT INTO escalation.cases (
    id, version, kind, state, state_since, subject, queue, opened_at, unread_answers, words_since
)
SELECT gen_random_uuid(), 1, 'billing_question', 'new', since, 'of ' || place, 'billing', since, 0, since
FROM unnest($1::timestamptz[]) WITH ORDINALITY AS c (since, place)
"""
INSERT_MAILS = """
INSERT INTO escalation.inbound_mails (id, mail_key, digest, is_first, state, subject, content, details, received_at)
SELECT gen_random_uuid(), place::text, 'digest', true, 'triage', 'of ' || place, '', '{}', since
FROM unnest($1::timestamptz[]) WITH ORDINALITY AS m (since, place)
"""
PENDING_CASES = """
SELECT p.due_at <= $1 AS is_over FROM escalation.cases c
JOIN escalation.pending_work p ON p.name = 'words_of_cases' AND p.detail = c.id::text ORDER BY c.number
"""
PENDING_MAILS = """
SELECT bool_or(p.due_at <= $1) AS is_over FROM escalation.pending_work p WHERE p.name = 'mails_of_no_case'
"""


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(days=31, seconds=[-1, 0, 1])
@given(
    days=st.integers(MIN_RETENTION_DAYS, MAX_RETENTION_DAYS),
    seconds=st.lists(st.integers(-7200, 7200), min_size=1, max_size=30),
)
async def test_pending_work_names_what_is_over_by_the_domain(database: Database, days: int, seconds: list[int]) -> None:
    since = [NOW - timedelta(days=days, seconds=second) for second in seconds]
    expected = [is_retention_over(instant, days, NOW) for instant in since]
    async with database.connected("escalation") as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("DELETE FROM escalation.retention_period")
        await connection.execute("INSERT INTO escalation.retention_period (id, days) VALUES (1, $1)", days)
        await connection.execute(INSERT_CASES, since)
        await connection.execute(INSERT_MAILS, since)
        cases = [row["is_over"] for row in await connection.fetch(PENDING_CASES, NOW)]
        is_a_mail_over = await connection.fetchval(PENDING_MAILS, NOW)
        await transaction.rollback()
    assert (cases, is_a_mail_over) == (expected, any(expected))
