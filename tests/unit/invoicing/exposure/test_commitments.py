"""Commitments of terms: the amounts that the vendor will still charge, worked out by hand."""

from dataclasses import replace
from datetime import date

import pytest

from services.invoicing.exposure.domain import VendorTerm, compute_vendor_commitment

YEAR = VendorTerm(
    unit_cost_minor=1_000, quantity=3, period_months=1, next_from=date(2026, 7, 1), term_end=date(2027, 3, 1)
)


@pytest.mark.parametrize(
    ("term", "committed_minor"),
    [
        (YEAR, 24_000),
        (replace(YEAR, next_from=date(2026, 2, 1), term_end=date(2027, 2, 1)), 36_000),
        (replace(YEAR, period_months=12, next_from=date(2026, 3, 1)), 3_000),
        (replace(YEAR, period_months=12, unit_cost_minor=100, quantity=1, term_end=date(2026, 12, 1)), 41),
        (replace(YEAR, next_from=date(2027, 2, 1)), 3_000),
        (replace(YEAR, next_from=date(2027, 3, 1)), 0),
        (replace(YEAR, next_from=date(2027, 4, 1)), 0),
        (replace(YEAR, next_from=None), 0),
        (replace(YEAR, ended_on=date(2026, 6, 30)), 0),
    ],
)
def test_a_term_commits_to_its_remaining_months_until_it_has_ended(term: VendorTerm, committed_minor: int) -> None:
    committed = compute_vendor_commitment(term)
    assert (committed, type(committed)) == (committed_minor, int)
