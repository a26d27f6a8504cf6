"""Price of rated usage: quantity × unit cost, with the plan's mark-up, truncated to the minor unit."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal, localcontext
from enum import StrEnum
from typing import NamedTuple

from shared.pure.errors import Refusal
from shared.pure.money import MAX_MINOR, get_minor_digits

_DIGITS = 80
"""More than quantity, unit cost and mark-up have together, so that nothing is rounded before it is truncated."""


class UsageRefused(Refusal):
    """Lines of usage cannot be taken; `errors` names them. Nothing of the request or file was taken."""

    code = "usage_refused"
    status = 422


class UsageLine(NamedTuple):
    """Rated usage of a subscription over days, its end exclusive; the cost of a unit is in the account's currency.

    All but its place is text, as it was checked: it is on its way into a table.
    """

    line: int
    id: str
    subscription_id: str
    meter: str
    quantity: str
    unit_cost: str
    period_from: str
    period_to: str


class WrongUsage(StrEnum):
    """Why a line that can be read cannot be taken."""

    UNKNOWN = "unknown"
    CURRENCY = "currency"
    TWICE = "twice"
    TOO_LARGE = "too_large"


_WORDS = {
    WrongUsage.UNKNOWN: ("subscription_id", "there is no subscription {found} of a plan"),
    WrongUsage.CURRENCY: ("subscription_id", "its account is billed in {found}"),
    WrongUsage.TWICE: ("id", "the id {found} is there twice"),
    WrongUsage.TOO_LARGE: ("quantity", "the amount is larger than any invoice"),
}


class WrongUsageLine(NamedTuple):
    """A line that cannot be taken, its place, and what was found."""

    line: int
    id: str
    wrong: WrongUsage
    wrong_value: str


def check_usage(wrong: Sequence[WrongUsageLine], place: str) -> None:
    """Raises UsageRefused if there is a wrong line; `place` is what a caller calls the lines."""
    errors = []
    for wrong_line in wrong:
        column, words = _WORDS[WrongUsage(wrong_line.wrong)]
        errors.append(
            {"field": f"{place}.{wrong_line.line}.{column}", "message": words.format(found=wrong_line.wrong_value)}
        )
    if errors:
        raise UsageRefused(f"line {wrong[0].id}: {errors[0]['message']}", errors=errors)


def compute_minor_units(currency: str) -> Decimal:
    """Compute the factor that makes minor units of units times basis points (0.01 for EUR, 0.0001 for JPY)."""
    return Decimal(10) ** (get_minor_digits(currency) - 4)


def compute_amount(quantity: Decimal, unit_cost: Decimal, markup_bp: int, currency: str) -> int:
    """The amount in minor units. Raises UsageRefused for one that no invoice takes.

    Lines are charged in sets by a statement (`repository.py`), which a test holds against this.
    """
    with localcontext(prec=_DIGITS):
        exact = quantity * unit_cost * (10_000 + markup_bp) * compute_minor_units(currency)
        minor = int(exact.to_integral_value(ROUND_DOWN))
    if minor > MAX_MINOR:
        raise UsageRefused("the amount is larger than any invoice")
    return minor
