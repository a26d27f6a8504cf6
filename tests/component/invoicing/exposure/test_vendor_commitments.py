"""Commitments to the vendor are, for all terms at once, those that the domain computes of each."""

from datetime import date, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.invoicing.exposure.domain import VendorTerm, compute_vendor_commitment
from services.invoicing.exposure.repository.exposure_queries import COMPUTE_VENDOR_COMMITMENT, IS_TERM_COMMITTED
from tests.builders import Database
from tests.component.shadow_tables import hide_tables, insert_rows

DATES = st.integers(0, 1500).map(lambda days: date(2026, 1, 1) + timedelta(days))
TERMS = st.builds(
    VendorTerm,
    st.integers(0, 10**6),
    st.integers(1, 1000),
    st.sampled_from([1, 12, 36]),
    st.one_of(DATES, DATES, DATES, st.none()),
    DATES,
    st.one_of(st.none(), st.none(), DATES),
)
EDGES = [
    VendorTerm(1000, 3, 12, date(2026, 1, 31), date(2027, 1, 31)),
    VendorTerm(1000, 3, 12, date(2026, 1, 31), date(2026, 12, 31)),
    VendorTerm(999, 1, 36, date(2026, 2, 28), date(2026, 3, 1)),
    VendorTerm(1000, 3, 1, date(2026, 3, 1), date(2026, 3, 1)),
    VendorTerm(1000, 3, 1, date(2026, 3, 1), date(2026, 9, 1), ended_on=date(2026, 2, 1)),
]
"""A whole period, less than one, a month's turn, the end itself, and an ended term."""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(terms=EDGES)
@given(terms=st.lists(TERMS, min_size=1, max_size=40))
async def test_a_term_is_committed_to_what_the_domain_says(database: Database, terms: list[VendorTerm]) -> None:
    async with database.connected("invoicing") as connection, connection.transaction():
        await hide_tables(connection, ["terms"])
        await insert_rows(
            connection,
            "terms",
            [
                {
                    "version": number,
                    "vendor_unit_cost_minor": term.unit_cost_minor,
                    "quantity": term.quantity,
                    "vendor_period_months": term.period_months,
                    "vendor_next_from": term.next_from,
                    "term_end": term.term_end,
                    "ended_on": term.ended_on,
                }
                for number, term in enumerate(terms, 1)
            ],
        )
        rows = await connection.fetch(
            f"SELECT version, {COMPUTE_VENDOR_COMMITMENT} AS rest FROM terms t WHERE {IS_TERM_COMMITTED}"
        )
    committed = {row["version"]: row["rest"] for row in rows}
    assert [committed.get(number, 0) for number, _ in enumerate(terms, 1)] == [
        compute_vendor_commitment(term) for term in terms
    ]
