"""Words are removed when the domain says that their time is over."""

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
