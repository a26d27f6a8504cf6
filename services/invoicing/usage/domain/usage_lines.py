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


class UsageFlaw(StrEnum):
    """Why a line that can be read cannot be taken."""

    UNKNOWN = "unknown"
    CURRENCY = "currency"
    TWICE = "twice"
    TOO_LARGE = "too_large"


_WORDS = {
    UsageFlaw.UNKNOWN: ("subscription_id", "there is no subscription {found} of a plan"),
    UsageFlaw.CURRENCY: ("subscription_id", "its account is billed in {found}"),
    UsageFlaw.TWICE: ("id", "the id {found} is there twice"),
    UsageFlaw.TOO_LARGE: ("quantity", "the amount is larger than any invoice"),
}


class FlawedUsageLine(NamedTuple):
    """A line that cannot be taken, its place, and what was found."""

    line: int
    id: str
    wrong: UsageFlaw
    wrong_value: str


def refuse_flawed_usage_lines(wrong: Sequence[FlawedUsageLine], place: str) -> None:
    """Raises UsageRefused if there is a wrong line; `place` is what a caller calls the lines."""
    errors = []
    for wrong_line in wrong:
        column, words = _WORDS[UsageFlaw(wrong_line.wrong)]
        errors.append(
            {"field": f"{place}.{wrong_line.line}.{column}", "message": words.format(found=wrong_line.wrong_value)}
        )
    if errors:
        raise UsageRefused(f"line {wrong[0].id}: {errors[0]['message']}", errors=errors)


def compute_usage_minor_factor(currency: str) -> Decimal:
    """Compute the factor that makes minor units of units times basis points (0.01 for EUR, 0.0001 for JPY)."""
    return Decimal(10) ** (get_minor_digits(currency) - 4)


def compute_usage_amount(quantity: Decimal, unit_cost: Decimal, markup_bp: int, currency: str) -> int:
    """The amount in minor units. Raises UsageRefused for one that no invoice takes.

    Lines are charged in sets, with COMPUTE_USAGE_AMOUNT of `usage.repository`.
    """
    with localcontext(prec=_DIGITS):
        exact = quantity * unit_cost * (10_000 + markup_bp) * compute_usage_minor_factor(currency)
        minor = int(exact.to_integral_value(ROUND_DOWN))
    if minor > MAX_MINOR:
        raise UsageRefused("the amount is larger than any invoice")
    return minor
