"""A month is closed for statements, lists, postings and the ledger's trigger when it is for the domain."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

import asyncpg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.invoicing.revenue.domain import find_open_posting_day, is_month_closed
from services.invoicing.revenue.repository.ledger_period_queries import (
    LedgerPeriodCriteria,
    build_ledger_period_list,
)
from services.invoicing.revenue.repository.release_queries import IS_LEDGER_MONTH_CLOSED
from services.invoicing.vendor_costs.repository.vendor_posting_queries import FIND_OPEN_POSTING_DAY, JOIN_OPEN_MONTHS
from tests.builders import Database
from tests.component.shadow_tables import hide_tables, insert_rows

FIRST, TODAY = date(2027, 1, 1), date(2029, 3, 15)
CLOSED_AT = datetime(2029, 3, 15, tzinfo=UTC)
ENTITY = "GS-DE"
EACH = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
MONTHS = st.sets(st.integers(0, 26).map(lambda number: date(2027 + number // 12, number % 12 + 1, 1)), max_size=3)
DAYS = st.lists(st.integers(0, 800).map(lambda days: FIRST + timedelta(days)), min_size=1, max_size=20)
AT_ENDS = [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1), date(2028, 12, 31), date(2029, 1, 1)]
TRIGGERED = """
CREATE TEMPORARY TABLE posted ON COMMIT DROP AS TABLE invoicing.ledger_entries WITH NO DATA;
CREATE TRIGGER ledger_holds AFTER INSERT ON posted REFERENCING NEW TABLE AS new_entries
FOR EACH STATEMENT EXECUTE FUNCTION invoicing.ledger_holds()
"""


async def close_months(connection: asyncpg.Connection, table: str, months: Collection[date]) -> None:
    """Close months of the legal entity, and a later one of another."""
    closed = [(ENTITY, month) for month in sorted(months)] + [("GS-FR", date(2029, 2, 1))]
    await insert_rows(
        connection,
        table,
        [
            {"legal_entity": entity, "month": month, "closed_by": "kim", "reason": "over", "closed_at": CLOSED_AT}
            for entity, month in closed
        ],
    )


@EACH
@example(months={date(2028, 2, 1)}, days=AT_ENDS)
@example(months={date(2028, 12, 1)}, days=AT_ENDS)
@given(months=MONTHS, days=DAYS)
async def test_statements_say_what_the_domain_says(database: Database, months: set[date], days: list[date]) -> None:
    async with database.connected("invoicing") as connection, connection.transaction():
        await hide_tables(connection, ["ledger_periods", "legal_entities", "ledger_entries"])
        await close_months(connection, "ledger_periods", months)
        await insert_rows(connection, "legal_entities", [{"code": ENTITY}])
        await insert_rows(connection, "ledger_entries", [{"legal_entity": ENTITY, "posted_on": FIRST}])
        closed = [await connection.fetchval(IS_LEDGER_MONTH_CLOSED, ENTITY, day) for day in days]
        posted = await connection.fetch(
            f"SELECT {FIND_OPEN_POSTING_DAY} AS day FROM (SELECT $1::text AS legal_entity, posted_on, place"
            f" FROM unnest($2::date[]) WITH ORDINALITY AS side (posted_on, place)) side {JOIN_OPEN_MONTHS}"
            " ORDER BY place",
            ENTITY,
            days,
        )
        query, arguments = build_ledger_period_list(LedgerPeriodCriteria(), TODAY, None, 100)
        listed = await connection.fetch(query, *arguments)
    assert closed == [is_month_closed(day, months) for day in days]
    assert [row["day"] for row in posted] == [find_open_posting_day(day, months) for day in days]
    assert len(listed) == 27
    assert [row["state"] == "closed" for row in listed] == [is_month_closed(row["month"], months) for row in listed]


@EACH
@example(months={date(2028, 2, 1)}, days=AT_ENDS)
@given(months=MONTHS, days=DAYS)
async def test_the_ledger_refuses_what_the_domain_calls_closed(
    database: Database, months: set[date], days: list[date]
) -> None:
    refused = []
    async with database.connected() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(TRIGGERED)
        await connection.execute("SET LOCAL session_replication_role = replica")
        await close_months(connection, "invoicing.ledger_periods", months)
        await connection.execute("SET LOCAL session_replication_role = origin")
        for day in days:
            refused.append(await _is_posting_refused(connection, day))
        await transaction.rollback()
    assert refused == [is_month_closed(day, months) for day in days]


async def _is_posting_refused(connection: asyncpg.Connection, day: date) -> bool:
    try:
        async with connection.transaction():
            await insert_rows(connection, "posted", [{"legal_entity": ENTITY, "posted_on": day, "amount_minor": 0}])
    except asyncpg.RaiseError as refusal:
        return "closed period" in str(refusal)
    return False
