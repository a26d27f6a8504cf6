"""Tax that is included in amounts which are agreed with it: taken out per invoice and rate, to the minor unit."""

from collections.abc import Sequence

from services.invoicing.billing.domain.tax_by_rate import BASIS_POINTS, RatedAmount, spread_tax_by_rate


def extract_included_taxes(amounts: Sequence[RatedAmount]) -> list[int]:
    """Take the tax out of the lines of an invoice, zero or more each, in their order; in minor units.

    The tax in a sum is rounded half up.
    """
    return spread_tax_by_rate(amounts, _extract_tax)


def _extract_tax(gross: int, rate_bp: int) -> int:
    whole = BASIS_POINTS + rate_bp
    return (2 * gross * rate_bp + whole) // (2 * whole)
