"""Usage is rated in sets as the domain rates each line."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.invoicing.usage.domain.usage_lines import compute_usage_amount, compute_usage_minor_factor
from services.invoicing.usage.repository import COMPUTE_USAGE_AMOUNT
from tests.builders import Database

PLACES = 9
"""Digits of quantities and unit costs after the point."""
FACTORS = st.integers(0, 10 ** (6 + PLACES)).map(lambda units: Decimal(units).scaleb(-PLACES))
LINES = st.lists(st.tuples(FACTORS, FACTORS, st.integers(0, 50_000)), min_size=1, max_size=60)
TRUNCATED = [(Decimal("1.999999999"), Decimal("3.999999999"), 777), (Decimal("0.000000001"), Decimal(1), 0)]


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(lines=TRUNCATED)
@given(lines=LINES)
async def test_a_line_is_charged_as_the_domain_charges_it(
    database: Database, currency: str, lines: list[tuple[Decimal, Decimal, int]]
) -> None:
    rows = await database.rows(
        f"SELECT {COMPUTE_USAGE_AMOUNT} AS amount"
        " FROM unnest($2::numeric[], $3::numeric[], $4::int[]) WITH ORDINALITY"
        " AS n (quantity, unit_cost, usage_markup_bp, place)"
        " CROSS JOIN LATERAL (SELECT n.usage_markup_bp) AS v ORDER BY place",
        compute_usage_minor_factor(currency),
        *zip(*lines, strict=True),
    )
    assert [row["amount"] for row in rows] == [compute_usage_amount(*line, currency) for line in lines]
