"""Differences between the vendor's invoice and what was expected: when a person looks at them."""

from collections.abc import Iterable

from shared.pure.money import get_minor_digits

VENDOR_DIFFERENCE_LIMIT = 100
"""Units of the currency (euro, not cents): vendor differences of one reconciliation that need a person at once."""
EXPECTED_VERDICTS = frozenset({"matched", "within_tolerance"})


def is_reconciliation_difference_large(differences_minor: Iterable[tuple[str, int]], currency: str) -> bool:
    """Whether the differences of a reconciliation, by verdict (minor units, either sign), come to the limit."""
    total_minor = sum(abs(minor) for verdict, minor in differences_minor if verdict not in EXPECTED_VERDICTS)
    limit_minor: int = VENDOR_DIFFERENCE_LIMIT * 10 ** get_minor_digits(currency)
    return total_minor >= limit_minor
