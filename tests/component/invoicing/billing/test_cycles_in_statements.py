"""Statements count cycles by the same rule as the domain, without calling a function for each row."""

from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.invoicing.catalog.domain.billing_cycles import MONTH, THREE_YEARS, YEAR, build_cycle_anchor
from tests.builders import Database

FIRST = date(2023, 12, 1)
ANCHORS = [FIRST + timedelta(days=n) for n in range(500)]
"""Over a leap day, and the ends of all months."""
LENGTHS = [(MONTH, MONTH), (YEAR, MONTH), (YEAR, YEAR), (THREE_YEARS, MONTH), (THREE_YEARS, THREE_YEARS)]


async def test_boundaries_follow_each_other_as_in_the_domain(database: Database) -> None:
    counted = [build_cycle_anchor(day, term=term, period=period) for day in ANCHORS for term, period in LENGTHS]
    asked = [(anchor, anchor.get_billing_cycle_start(number)) for anchor in counted for number in (0, 1, 2, 13)]
    rows = await database.rows(
        "SELECT invoicing.cycle_after(boundary, months, anchor, from_end) AS after"
        " FROM unnest($1::date[], $2::int[], $3::date[], $4::bool[]) WITH ORDINALITY"
        " AS asked (boundary, months, anchor, from_end, place) ORDER BY place",
        [boundary for _, boundary in asked],
        [anchor.months for anchor, _ in asked],
        [anchor.day for anchor, _ in asked],
        [anchor.from_end for anchor, _ in asked],
    )
    assert [row["after"] for row in rows] == [anchor.get_next_cycle_boundary(boundary) for anchor, boundary in asked]


DATES = st.dates(date(1999, 1, 1), date(2101, 1, 1))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.tuples(DATES, st.sampled_from(LENGTHS), DATES), min_size=50, max_size=200))
async def test_any_date_is_followed_by_the_boundary_that_the_domain_says(
    database: Database, asked: list[tuple[date, tuple[int, int], date]]
) -> None:
    anchors = [build_cycle_anchor(day, term=term, period=period) for day, (term, period), _ in asked]
    rows = await database.rows(
        "SELECT invoicing.cycle_after(boundary, months, anchor, from_end) AS after"
        " FROM unnest($1::date[], $2::int[], $3::date[], $4::bool[]) WITH ORDINALITY"
        " AS asked (boundary, months, anchor, from_end, place) ORDER BY place",
        [boundary for _, _, boundary in asked],
        [anchor.months for anchor in anchors],
        [anchor.day for anchor in anchors],
        [anchor.from_end for anchor in anchors],
    )
    assert [row["after"] for row in rows] == [
        anchor.get_next_cycle_boundary(boundary) for anchor, (_, _, boundary) in zip(anchors, asked, strict=True)
    ]


async def test_the_function_is_taken_into_the_statement(database: Database) -> None:
    plan = await database.rows(
        "EXPLAIN VERBOSE SELECT invoicing.cycle_after(next_to, period_months, anchor, from_end) FROM invoicing.terms"
    )
    plan_text = "\n".join(row[0] for row in plan)
    assert "date_trunc" in plan_text
    assert "invoicing.cycle_after(" not in plan_text
    assert "invoicing.days_of_month(" not in plan_text
    assert "invoicing.months_later(" not in plan_text
