"""A vendor's file is compared in sets as the domain compares each subscription, kind and period."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.invoicing.vendor_costs.domain.line_verdicts import (
    BilledVendorCost,
    ExpectedVendorCost,
    compute_vendor_unit_tolerance,
    compute_vendor_verdict,
    is_missing_at_vendor,
    is_vendor_cost_expected,
)
from services.invoicing.vendor_costs.repository.cost_comparison import (
    COMPARE_BILLED_COSTS,
    COMPARISON_TABLES,
    IS_MISSING_AT_VENDOR,
)
from tests.builders import Database

PERIOD = (date(2026, 3, 1), date(2026, 4, 1))
EACH = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
MOST = 10**12

QUANTITIES = st.one_of(st.sampled_from([-1, 0, 1, 2]), st.integers(-(10**6), 10**6)).map(
    lambda thousandths: Decimal(thousandths) / 1000
)
AMOUNTS = st.one_of(st.integers(-3, 3), st.integers(-MOST, MOST))
EXPECTED = st.builds(ExpectedVendorCost, QUANTITIES, AMOUNTS, st.booleans(), st.booleans())
Comparison = tuple[BilledVendorCost, ExpectedVendorCost | None, bool]
"""Both sides, and whether the subscription is ours."""


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    """Draw both sides of a comparison, often equal or nearly so."""
    expected = draw(st.one_of(st.none(), EXPECTED))
    quantity, amount = draw(QUANTITIES), draw(AMOUNTS)
    if expected is not None and draw(st.booleans()):
        quantity = expected.quantity
    if expected is not None and draw(st.booleans()):
        amount = expected.amount_minor + draw(st.integers(-4, 4))
    units = abs(quantity) + draw(st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(2), Decimal(350)]))
    is_ours = expected is not None or draw(st.booleans())
    return BilledVendorCost(quantity, units, amount), expected, is_ours


def expect_cost(quantity: int, amount: int, *, before: bool = True) -> ExpectedVendorCost:
    """Build what was expected in the invoice's currency."""
    return ExpectedVendorCost(Decimal(quantity), amount, in_foreign_currency=False, is_billed_before=before)


def bill_cost(quantity: int, amount: int) -> BilledVendorCost:
    """Build what one line of the vendor bills."""
    return BilledVendorCost(Decimal(quantity), Decimal(abs(quantity)), amount)


CORRECTIONS: list[Comparison] = [
    (bill_cost(10, 10080), expect_cost(-10, -10080), True),
    (bill_cost(-10, -10080), expect_cost(-10, -10080), True),
    (bill_cost(1, 0), expect_cost(0, 0), True),
    (bill_cost(0, 5), expect_cost(0, 0), True),
    (bill_cost(-2, 5), expect_cost(1, -5, before=False), True),
]
"""What another invoice has billed is billed again, taken back, or billed beside."""
EDGES: list[Comparison] = [
    (bill_cost(quantity, 100 + quantity + more), expect_cost(quantity, 100, before=False), True)
    for quantity in (1, 2, 99, 100, 101, 250)
    for more in (0, 1)
]
"""Differences at the tolerance, and one unit above it."""


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
@EACH
@example(compared=CORRECTIONS)
@example(compared=EDGES)
@given(compared=st.lists(comparisons(), min_size=1, max_size=40))
async def test_a_file_is_compared_as_the_domain_compares_it(
    database: Database, currency: str, compared: list[Comparison]
) -> None:
    tolerance = compute_vendor_unit_tolerance(currency)
    async with database.connected("invoicing") as connection, connection.transaction():
        await connection.execute(COMPARISON_TABLES)
        await connection.executemany(
            "INSERT INTO billed (vendor_customer_id, vendor_subscription_id, kind, period_from, period_to,"
            " subscription_id, first_line, lines, quantity, units, billed_minor)"
            " VALUES ('tenant', 'theirs', 'new', $1, $2, $3, $4, 1, $5, $6, $7)",
            [
                (*PERIOD, UUID(int=place) if is_ours else None, place, *_list_billed(billed))
                for place, (billed, _, is_ours) in enumerate(compared, 1)
            ],
        )
        await connection.executemany(
            "INSERT INTO expected VALUES ($1, 'new', $2, $3, $4, $5, $6, $7)",
            [
                (UUID(int=place), *PERIOD, *_list_expected(expected))
                for place, (_, expected, _) in enumerate(compared, 1)
                if expected is not None
            ],
        )
        await connection.execute(COMPARE_BILLED_COSTS, tolerance)
        rows = await connection.fetch(
            "SELECT verdict, expected_quantity, expected_minor FROM verdicts ORDER BY first_line"
        )
    for row, (billed, expected, is_ours) in zip(rows, compared, strict=True):
        verdict = compute_vendor_verdict(billed, expected, tolerance, is_subscription_ours=is_ours)
        is_expected = expected is not None and is_vendor_cost_expected(billed, expected)
        sums = (expected.quantity, expected.amount_minor) if expected and is_expected else (0, 0)
        assert tuple(row) == (verdict, *sums)


@EACH
@given(charged=st.lists(st.tuples(EXPECTED, st.booleans()), min_size=1, max_size=40))
async def test_a_charge_is_missed_as_the_domain_misses_it(
    database: Database, charged: list[tuple[ExpectedVendorCost, bool]]
) -> None:
    async with database.connected("invoicing") as connection, connection.transaction():
        await connection.execute(COMPARISON_TABLES)
        await connection.executemany(
            "INSERT INTO expected VALUES ($1, 'new', $2, $3, $4, $5, $6, $7)",
            [(UUID(int=place), *PERIOD, *_list_expected(expected)) for place, (expected, _) in enumerate(charged, 1)],
        )
        await connection.executemany(
            "INSERT INTO billed (kind, period_from, period_to, subscription_id) VALUES ('new', $1, $2, $3)",
            [(*PERIOD, UUID(int=place)) for place, (_, is_billed) in enumerate(charged, 1) if is_billed],
        )
        rows = await connection.fetch(
            f"SELECT {IS_MISSING_AT_VENDOR} AS is_missing FROM expected e ORDER BY subscription_id"
        )
    assert [row["is_missing"] for row in rows] == [
        is_missing_at_vendor(expected, is_billed=is_billed) for expected, is_billed in charged
    ]


def _list_billed(billed: BilledVendorCost) -> tuple[Decimal, Decimal, int]:
    return billed.quantity, billed.units, billed.amount_minor


def _list_expected(expected: ExpectedVendorCost) -> tuple[bool, Decimal, int, bool]:
    return expected.in_foreign_currency, expected.quantity, expected.amount_minor, expected.is_billed_before
