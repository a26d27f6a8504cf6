"""Charges are billed in sets as the domain says of each: how much, for which day of supply, and when it is due."""

from datetime import date, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.invoicing.billing.domain.charge_dates import ChargePeriods, compute_invoice_due_date, find_supply_day
from services.invoicing.billing.repository.chunk_drafting_statements import (
    COMPUTE_INVOICE_DUE_DATE,
    FIND_REVERSED_SUPPLY_DAY,
    FIND_SUPPLY_DAY,
)
from services.invoicing.subscriptions.domain.charge_amounts import compute_unbilled_minor, is_charge_billable
from services.invoicing.subscriptions.repository.charge_rests import COMPUTE_UNBILLED_MINOR, IS_CHARGE_BILLABLE
from tests.builders import Database
from tests.component.shadow_tables import hide_tables, insert_rows

EACH = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
DATES = st.integers(0, 1500).map(lambda days: date(2026, 1, 1) + timedelta(days))


def draw_periods(*kinds: str) -> st.SearchStrategy[ChargePeriods]:
    """Draw the dates of a charge of one of these kinds; no date follows from another."""
    return st.builds(ChargePeriods, st.sampled_from(kinds), st.booleans(), DATES, DATES, DATES, DATES)


CHARGES = st.tuples(
    draw_periods("cycle", "change", "setup", "usage", "vendor_difference", "reversal", "reversal"),
    st.one_of(st.none(), draw_periods("cycle", "change")),
)
REVERSED_FROM = 1000
"""Charges that are taken back have numbers from here on."""


@EACH
@given(charges=st.lists(CHARGES, min_size=1, max_size=30))
async def test_a_charge_is_supplied_on_the_day_of_the_domain(
    database: Database, charges: list[tuple[ChargePeriods, ChargePeriods | None]]
) -> None:
    numbered = [(number, charge) for number, (charge, _) in enumerate(charges)]
    numbered += [(REVERSED_FROM + number, other) for number, (_, other) in enumerate(charges) if other is not None]
    async with database.connected("invoicing") as connection, connection.transaction():
        await hide_tables(connection, ["charges"])
        await insert_rows(
            connection,
            "charges",
            [
                {
                    "id": UUID(int=number),
                    "quantity": number,
                    "kind": charge.kind,
                    "is_deferred": charge.is_deferred,
                    "period_from": charge.period_from,
                    "period_to": charge.period_to,
                    "due_on": charge.due_on,
                    "cycle_from": charge.cycle_from,
                }
                for number, charge in numbered
            ],
        )
        rows = await connection.fetch(
            f"SELECT {FIND_SUPPLY_DAY} AS day FROM charges c LEFT JOIN LATERAL ("
            f" SELECT {FIND_REVERSED_SUPPLY_DAY} AS supplied_on FROM charges o WHERE o.quantity = c.quantity + $1"
            ") o ON c.kind = 'reversal' WHERE c.quantity < $1 ORDER BY c.quantity",
            REVERSED_FROM,
        )
    assert [row["day"] for row in rows] == [find_supply_day(charge, reversed_) for charge, reversed_ in charges]


AMOUNTS = st.tuples(*[st.one_of(st.integers(-3, 3), st.integers(-(10**12), 10**12))] * 3)


@EACH
@given(charges=st.lists(AMOUNTS, min_size=1, max_size=50))
async def test_of_a_charge_is_billed_what_the_domain_says(
    database: Database, charges: list[tuple[int, int, int]]
) -> None:
    lapsed_to_nothing = [(amount, settled, amount - settled) for amount, settled, _ in charges]
    charges = charges + lapsed_to_nothing + [(amount, settled, 0) for amount, settled, _ in charges]
    rows = await database.rows(
        f"SELECT {COMPUTE_UNBILLED_MINOR.format('c.')} AS rest, {IS_CHARGE_BILLABLE.format('c.')} AS is_billable"
        " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY"
        " AS c (amount_minor, settled_minor, lapsed_minor, place) ORDER BY place",
        *zip(*charges, strict=True),
    )
    assert [tuple(row) for row in rows] == [
        (compute_unbilled_minor(*charge), is_charge_billable(*charge)) for charge in charges
    ]


@EACH
@given(asked=st.lists(st.tuples(DATES, st.integers(0, 365)), min_size=1, max_size=50))
async def test_an_invoice_is_due_when_the_domain_says(database: Database, asked: list[tuple[date, int]]) -> None:
    rows = await database.rows(
        f"SELECT {COMPUTE_INVOICE_DUE_DATE} AS due_date FROM unnest($1::date[], $2::int[]) WITH ORDINALITY"
        " AS a (day, terms_days, place) CROSS JOIN LATERAL (SELECT a.day) AS today ORDER BY place",
        *zip(*asked, strict=True),
    )
    assert [row["due_date"] for row in rows] == [compute_invoice_due_date(day, terms) for day, terms in asked]
