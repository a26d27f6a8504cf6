"""Commitments to the vendor, and amounts of several currencies beside each other in one.

Amounts are converted by rates that somebody published for a date.

A source's table of a date has one base; it says how many units of each quote one unit of the base is. One table
converts between any two currencies in it: from the base (the rate), to the base (one divided by it), and from quote to
quote (a cross: the two rates divided). Rates of different tables are never mixed.

The table with the newest date counts; of one date first that from which the conversion is direct, then the inverse,
then the cross; then the source that is first by its name. The arithmetic is exact, and each amount is rounded once, to
the minor units of its new currency, half to even.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from shared.pure.money import get_minor_digits

OLDEST = timedelta(days=7)
"""A rate that is older than this on the day it is wanted for converts nothing: long enough for any row of holidays."""


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """So many units (not minor ones) of `quote` are one unit of `base`, says a source for a day."""

    base: str
    quote: str
    rate: Decimal
    day: date
    source: str


@dataclass(frozen=True, slots=True)
class CurrencyConversion:
    """How amounts of one currency become such of another: the rates it takes (none, one or two), and the factor."""

    currency: str
    target: str
    rates: tuple[ExchangeRate, ...]
    factor: Fraction

    def convert_minor_amount(self, amount: int) -> int:
        """An amount in minor units of the one, in minor units of the other; rounded here, half to even."""
        digits = get_minor_digits(self.target) - get_minor_digits(self.currency)
        return round(amount * self.factor * Fraction(10) ** digits)


@dataclass(frozen=True, slots=True)
class ConvertedExposureTotal:
    """Sums of what could be converted, in minor units; without the `missing_currencies` they are no whole."""

    sums: tuple[int, ...]
    missing_currencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VendorTerm:
    """A term of a subscription at the vendor: the cost of a period, in minor units, and the next one to be charged."""

    unit_cost_minor: int
    quantity: int
    period_months: int
    next_from: date | None
    term_end: date
    ended_on: date | None = None


def compute_vendor_commitment(term: VendorTerm) -> int:
    """Compute what the vendor will still charge for a term: by months, and nothing once it has ended.

    `repository.exposure_queries.COMPUTE_VENDOR_COMMITMENT` does it for all terms.
    """
    if term.ended_on is not None or term.next_from is None or term.next_from >= term.term_end:
        return 0
    months = (term.term_end.year - term.next_from.year) * 12 + term.term_end.month - term.next_from.month
    return term.unit_cost_minor * term.quantity * months // term.period_months


def find_newest_currency_conversion(
    rates: Iterable[ExchangeRate], currency: str, target: str, on: date
) -> CurrencyConversion | None:
    """How to convert on a day, by the newest rates on or before it, however old they are; None without any."""
    if currency == target:
        return CurrencyConversion(currency, target, (), Fraction(1))
    tables: dict[tuple[date, str, str], dict[str, ExchangeRate]] = defaultdict(dict)
    for rate in rates:
        if rate.day <= on and rate.quote in (currency, target):
            tables[rate.day, rate.source, rate.base][rate.quote] = rate
    usable = [key for key, table in tables.items() if {currency, target} <= table.keys() | {key[2]}]
    if not usable:
        return None
    return _by(tables[min(usable, key=lambda key: _order(key, currency, target))], currency, target)


def _order(table: tuple[date, str, str], currency: str, target: str) -> tuple[int, int, str, str]:
    day, source, base = table
    return -day.toordinal(), 0 if base == currency else 1 if base == target else 2, source, base


def _by(table: Mapping[str, ExchangeRate], currency: str, target: str) -> CurrencyConversion:
    """The conversion by a table, in which one unit of the base is one of itself."""
    units = {quote: Fraction(rate.rate) for quote, rate in table.items()}
    used = tuple(table[quote] for quote in (currency, target) if quote in table)
    return CurrencyConversion(currency, target, used, units.get(target, Fraction(1)) / units.get(currency, Fraction(1)))


def is_exchange_rate_fresh(conversion: CurrencyConversion, on: date) -> bool:
    """Whether the rates are new enough for a day."""
    return all(on - rate.day <= OLDEST for rate in conversion.rates)


def explain_missing_exchange_rate(older: CurrencyConversion | None, on: date) -> str:
    """Why nothing of a currency is converted; `older` is how it would have been by rates that are too old."""
    if older is None:
        return "there is no rate on or before the day"
    return f"the newest rate is of {older.rates[0].day}, more than {OLDEST.days} days before {on}"


def convert_exposure_total(
    amounts: Iterable[tuple[str, Sequence[int]]], width: int, conversions: Mapping[str, CurrencyConversion]
) -> ConvertedExposureTotal:
    """The sums of `width` amounts each, by currency and in minor units, as far as there are conversions.

    What has the same currency is added before it is converted, so each currency's amount is rounded once.
    """
    sums_by_currency: dict[str, list[int]] = {}
    for currency, row in amounts:
        sums = sums_by_currency.setdefault(currency, [0] * width)
        sums_by_currency[currency] = [total + more for total, more in zip(sums, row, strict=True)]
    converted = [
        [conversions[currency].convert_minor_amount(subtotal) for subtotal in sums]
        for currency, sums in sums_by_currency.items()
        if currency in conversions
    ]
    missing_currencies = tuple(sorted(sums_by_currency.keys() - conversions.keys()))
    return ConvertedExposureTotal(tuple(map(sum, zip([0] * width, *converted, strict=True))), missing_currencies)


def subtract_exposure_totals(minuend: ConvertedExposureTotal, subtrahend: ConvertedExposureTotal) -> int | None:
    """By how much one sum is above another; None unless both are whole."""
    return None if minuend.missing_currencies or subtrahend.missing_currencies else minuend.sums[0] - subtrahend.sums[0]
