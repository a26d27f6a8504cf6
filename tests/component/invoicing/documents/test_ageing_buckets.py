"""The figures of receivables use the buckets of a statement of account."""

from datetime import date, timedelta

from services.invoicing.documents.domain.account_statement import find_ageing_bucket
from services.invoicing.metrics import AGEING_BUCKETS
from tests.builders import Database

DAY = date(2026, 3, 2)
DAYS_PAST_DUE = [-40_000, *range(-400, 400), 40_000]


async def test_days_past_due_are_in_the_bucket_of_the_domain(database: Database) -> None:
    rows = await database.rows(
        f"SELECT days, array_agg(bucket) AS buckets FROM unnest($1::int[]) AS aged (days), {AGEING_BUCKETS}"
        " WHERE days BETWEEN first AND last GROUP BY days",
        DAYS_PAST_DUE,
    )
    assert {row["days"]: row["buckets"] for row in rows} == {
        days: [find_ageing_bucket(DAY - timedelta(days), DAY)] for days in DAYS_PAST_DUE
    }
