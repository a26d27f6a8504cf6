"""Amounts in one currency: by the newest table, exactly, rounded once; and nothing for which there is no rate."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.exposure import domain as exposure_domain
from services.invoicing.exposure.domain import OLDEST, CurrencyConversion, ExchangeRate

TODAY = date(2026, 3, 2)
DIGITS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
CURRENCIES = st.sampled_from(sorted(DIGITS))
RATES = st.decimals("0.000001", 999_999, places=6)
AMOUNTS = st.integers(-(10**17), 10**17)


def rate(base: str, quote: str, units: str, *, days: int = 0, source: str = "ecb") -> ExchangeRate:
    """A rate that was published so many days ago."""
    return ExchangeRate(base, quote, Decimal(units), TODAY - timedelta(days=days), source)


def find_conversion(rates: Sequence[ExchangeRate], currency: str = "USD", target: str = "EUR") -> CurrencyConversion:
    conversion = exposure_domain.find_newest_currency_conversion(rates, currency, target, TODAY)
    assert conversion is not None
    return conversion


@st.composite
def tables(draw: st.DrawFn) -> list[ExchangeRate]:
    """Draw rates that some sources published on some days, with a base each."""
    keys = st.tuples(st.sampled_from(["ecb", "fed"]), st.integers(-2, 12), CURRENCIES)
    rates = []
    for source, days, base in draw(st.sets(keys, max_size=6)):
        for quote in sorted(draw(st.sets(CURRENCIES, min_size=1)) - {base}):
            rates.append(ExchangeRate(base, quote, draw(RATES), TODAY - timedelta(days=days), source))
    return draw(st.permutations(rates))


def convertible(rates: Sequence[ExchangeRate], currency: str, target: str, day: date) -> bool:
    """Whether there is a rate of the pair, or a cross of one table, on a day; tried one by one."""
    rates_of_day = [rate for rate in rates if rate.day == day]
    if any({rate.base, rate.quote} == {currency, target} for rate in rates_of_day):
        return True
    return any(
        (rate.source, rate.base, rate.quote, other.quote) == (other.source, other.base, currency, target)
        for rate in rates_of_day
        for other in rates_of_day
    )


@given(rates=tables(), currency=CURRENCIES, target=CURRENCIES)
def test_the_newest_table_that_has_both_counts(rates: list[ExchangeRate], currency: str, target: str) -> None:
    conversion = exposure_domain.find_newest_currency_conversion(rates, currency, target, TODAY)
    if currency == target:
        assert conversion == CurrencyConversion(currency, target, (), 1)  # type: ignore[arg-type]
        return
    days = [TODAY - timedelta(days=n) for n in range(20)]
    newest = next((day for day in days if convertible(rates, currency, target, day)), None)
    assert (None if conversion is None else conversion.rates[0].day) == newest
    if conversion is not None:
        assert len({(rate.day, rate.source, rate.base) for rate in conversion.rates}) == 1
        assert {currency, target} == {conversion.rates[0].base, *(rate.quote for rate in conversion.rates)} or len(
            conversion.rates
        ) == 2
        assert exposure_domain.is_exchange_rate_fresh(conversion, TODAY) == (
            TODAY - conversion.rates[0].day <= timedelta(days=7)
        )


@given(rates=tables(), again=st.randoms())
def test_the_order_in_which_rates_come_says_nothing(rates: list[ExchangeRate], again: object) -> None:
    mixed = list(rates)
    again.shuffle(mixed)  # type: ignore[attr-defined]
    for target in ("EUR", "USD"):
        assert exposure_domain.find_newest_currency_conversion(
            rates, "JPY", target, TODAY
        ) == exposure_domain.find_newest_currency_conversion(mixed, "JPY", target, TODAY)


@given(amount=AMOUNTS, units=RATES, more=RATES, currency=CURRENCIES, target=CURRENCIES)
def test_an_amount_is_exact_and_rounded_once(
    amount: int, units: Decimal, more: Decimal, currency: str, target: str
) -> None:
    """Long division by hand: the quotient and what is left decide, a tie goes to the even neighbour."""
    if currency == target:
        return
    third = "CHF"
    ways = {
        "direct": ([ExchangeRate(currency, target, units, TODAY, "ecb")], units, Decimal(1)),
        "inverse": ([ExchangeRate(target, currency, units, TODAY, "ecb")], Decimal(1), units),
        "cross": (
            [ExchangeRate(third, currency, units, TODAY, "x"), ExchangeRate(third, target, more, TODAY, "x")],
            more,
            units,
        ),
    }
    for rates, times, per in ways.values():
        over = amount * int(times.scaleb(6)) * 10 ** DIGITS[target]
        under = int(per.scaleb(6)) * 10 ** DIGITS[currency]
        quotient, remainder = divmod(over, under)
        up = 2 * remainder > under or (2 * remainder == under and quotient % 2 == 1)
        assert find_conversion(rates, currency, target).convert_minor_amount(amount) == quotient + up


@pytest.mark.parametrize(
    ("rates", "currency", "target", "minor", "becomes"),
    [
        ([rate("EUR", "USD", "1.0843")], "EUR", "USD", 10_000, 10_843),
        ([rate("EUR", "USD", "1.25")], "USD", "EUR", 10_000, 8_000),
        ([rate("EUR", "USD", "1.25"), rate("EUR", "GBP", "0.85")], "USD", "GBP", 10_000, 6_800),
        ([rate("EUR", "JPY", "160")], "JPY", "EUR", 1_600, 1_000),
        ([rate("EUR", "JPY", "160")], "EUR", "JPY", 1_000, 1_600),
        ([rate("EUR", "KWD", "0.333")], "EUR", "KWD", 10_000, 33_300),
        ([rate("KWD", "JPY", "480")], "KWD", "JPY", 1_000, 480),
        ([rate("EUR", "RSD", "117.2")], "EUR", "RSD", 1_000, 117_200),
        ([rate("USD", "IQD", "1310")], "IQD", "USD", 1_310_000, 100),
        ([rate("USD", "EUR", "0.5")], "USD", "EUR", 1, 0),
        ([rate("USD", "EUR", "0.5")], "USD", "EUR", 3, 2),
        ([rate("USD", "EUR", "0.5")], "USD", "EUR", -3, -2),
        ([rate("USD", "EUR", "0.5")], "USD", "EUR", -5, -2),
    ],
)
def test_amounts_by_example(rates: list[ExchangeRate], currency: str, target: str, minor: int, becomes: int) -> None:
    assert find_conversion(rates, currency, target).convert_minor_amount(minor) == becomes


def test_of_one_day_the_rate_of_the_pair_comes_before_its_inverse_and_that_before_a_cross() -> None:
    direct, inverse = rate("USD", "EUR", "0.9", source="z"), rate("EUR", "USD", "1.1", source="b")
    cross = [rate("GBP", "USD", "1.3", source="a"), rate("GBP", "EUR", "1.2", source="a")]
    assert find_conversion([*cross, inverse, direct]).rates == (direct,)
    assert find_conversion([*cross, inverse]).rates == (inverse,)
    assert find_conversion(cross).rates == tuple(cross)
    other = rate("EUR", "USD", "1.2", source="a")
    assert find_conversion([inverse, other]).rates == (other,)
    assert find_conversion([direct, rate("EUR", "USD", "1.0", days=-1), rate("EUR", "USD", "1.0", days=1)]).rates == (
        direct,
    )


def test_legs_of_two_days_or_of_two_sources_are_no_cross() -> None:
    leg = rate("GBP", "USD", "1.3")
    for other in (rate("GBP", "EUR", "1.2", days=1), rate("GBP", "EUR", "1.2", source="fed"), rate("CHF", "EUR", "1")):
        assert exposure_domain.find_newest_currency_conversion([leg, other], "USD", "EUR", TODAY) is None


def test_a_rate_of_seven_days_ago_counts_and_an_older_one_does_not() -> None:
    ages = {
        days: exposure_domain.is_exchange_rate_fresh(find_conversion([rate("EUR", "USD", "1.1", days=days)]), TODAY)
        for days in (0, 7, 8)
    }
    assert ages == {0: True, 7: True, 8: False}
    assert timedelta(days=7) == OLDEST
    old = find_conversion([rate("EUR", "USD", "1.1", days=8)])
    assert "2026-02-22, more than 7 days before 2026-03-02" in exposure_domain.explain_missing_exchange_rate(old, TODAY)
    assert "no rate" in exposure_domain.explain_missing_exchange_rate(None, TODAY)


@given(
    amounts=st.lists(st.tuples(CURRENCIES, st.tuples(AMOUNTS, AMOUNTS)), max_size=12),
    units=RATES,
    rated=st.sets(CURRENCIES),
)
def test_a_total_is_of_what_was_converted_and_says_what_it_lacks(
    amounts: list[tuple[str, tuple[int, int]]], units: Decimal, rated: set[str]
) -> None:
    conversions = {
        currency: find_conversion([ExchangeRate(currency, "CHF", units, TODAY, "ecb")], currency, "CHF")
        for currency in rated
    }
    total = exposure_domain.convert_exposure_total(amounts, 2, conversions)
    wanted = [0, 0]
    for currency in rated:
        for place in (0, 1):
            added = sum(row[place] for name, row in amounts if name == currency)
            with localcontext(prec=80):
                exact = Decimal(added) * units * Decimal(10) ** (2 - DIGITS[currency])
                wanted[place] += int(exact.to_integral_value(ROUND_HALF_EVEN))
    assert total.sums == tuple(wanted)
    assert set(total.missing_currencies) == {currency for currency, _ in amounts} - rated
    assert list(total.missing_currencies) == sorted(total.missing_currencies)


def test_a_difference_is_of_whole_sums_only() -> None:
    whole, other, part = (
        exposure_domain.ConvertedExposureTotal((900,), ()),
        exposure_domain.ConvertedExposureTotal((400,), ()),
        exposure_domain.ConvertedExposureTotal((400,), ("JPY",)),
    )
    assert exposure_domain.subtract_exposure_totals(whole, other) == 500
    assert (
        exposure_domain.subtract_exposure_totals(whole, part),
        exposure_domain.subtract_exposure_totals(part, whole),
    ) == (None, None)
