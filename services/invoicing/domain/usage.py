"""What rated usage costs the customer: quantity × unit cost, with the plan's mark-up, truncated to the minor unit."""

from decimal import ROUND_DOWN, Decimal

from babel.numbers import get_currency_precision

from shared.errors import Refusal
from shared.money import MAX_MINOR


class UsageRefused(Refusal):
    """A line of usage cannot be taken; `detail` names it. Nothing of the request was taken."""

    code = "usage_refused"
    status = 422


def amount_minor(quantity: Decimal, unit_cost: Decimal, markup_bp: int, currency: str) -> int:
    """The amount in minor units. Raises UsageRefused for one that no invoice takes."""
    exact = quantity * unit_cost * (10_000 + markup_bp) / 10_000
    minor = exact.scaleb(get_currency_precision(currency)).to_integral_value(ROUND_DOWN)
    if minor > MAX_MINOR:
        raise UsageRefused("the amount is larger than any invoice")
    return int(minor)
