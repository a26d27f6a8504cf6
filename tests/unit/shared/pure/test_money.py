"""Money is integer minor units of one currency."""

import pytest
from babel import Locale
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.pure.money import (
    MAX_MINOR,
    MINOR_DIGITS,
    CurrencyMismatch,
    Money,
    MoneyModel,
    format_minor_units,
    get_minor_digits,
    parse_minor_units,
)

MINOR = st.integers(-MAX_MINOR, MAX_MINOR)


@given(first=MINOR, second=MINOR)
def test_amounts_of_one_currency_add_up(first: int, second: int) -> None:
    assert Money(first, "EUR") + Money(second, "EUR") == Money(first + second, "EUR")
    assert Money(first, "EUR") + Money(second, "EUR") - Money(second, "EUR") == Money(first, "EUR")


@given(first=MINOR, second=MINOR)
def test_amounts_of_two_currencies_never_do(first: int, second: int) -> None:
    with pytest.raises(CurrencyMismatch):
        Money(first, "EUR") + Money(second, "USD")
    with pytest.raises(CurrencyMismatch):
        Money(first, "EUR") - Money(second, "USD")
    assert Money(first, "EUR") != Money(first, "USD")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("12", "EUR", 1200),
        ("0.01", "EUR", 1),
        ("0.29", "EUR", 29),  # times 100 as a float it is 28.999...
        ("1.10", "EUR", 110),
        ("-3.00", "EUR", -300),
        ("1250", "JPY", 1250),
        ("1234.00", "RSD", 123400),
        ("1.234", "IQD", 1234),
        ("1.2345", "UYW", 12345),
        ("1250.0", "JPY", 1250),
        ("1.234", "KWD", 1234),
        ("1.2", "BHD", 1200),
        ("90071992547409.93", "EUR", 9007199254740993),  # above what a float holds exactly
    ],
)
def test_an_amount_is_read_in_minor_units(text: str, currency: str, minor: int) -> None:
    assert parse_minor_units(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("12.505", "EUR"),
        ("1.5", "JPY"),
        ("1.2345", "KWD"),
        ("1.234", "RSD"),
        ("", "EUR"),
        ("12,50", "EUR"),
        ("NaN", "EUR"),
        ("inf", "EUR"),
        ("1_000", "EUR"),
        ("1e2", "EUR"),
        ("1e400000", "EUR"),
        ("1" * 5000, "EUR"),
        (" 1", "EUR"),
        ("١٢", "EUR"),
    ],
)
def test_what_is_no_amount_of_the_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(ValueError):
        parse_minor_units(text, currency)


@given(minor=MINOR, currency=st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3)]))
def test_what_is_written_with_all_decimals_is_read_back(minor: int, currency: tuple[str, int]) -> None:
    code, digits = currency
    whole, part = divmod(abs(minor), 10**digits)
    text = f"{'-' if minor < 0 else ''}{whole}" + (f".{part:0{digits}}" if digits else "")
    assert parse_minor_units(text, code) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1250, "EUR", "€12.50"),
        (1250, "JPY", "¥1,250"),
        (1250, "KWD", "KWD1.250"),
        (123400, "RSD", "RSD1,234.00"),
        (-1234, "IQD", "-IQD1.234"),
        (5, "CLF", "CLF0.0005"),
    ],
)
def test_it_is_written_with_the_decimals_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert str(Money(minor, currency)) == text


@pytest.mark.parametrize("amount", [12.5, 12.0, "12", True, 0, -1, MAX_MINOR + 1, None])
def test_a_request_takes_nothing_but_whole_minor_units_above_zero(amount: object) -> None:
    with pytest.raises(ValidationError):
        MoneyModel.model_validate({"amount_minor": amount, "currency": "EUR"})


@pytest.mark.parametrize("currency", ["eur", "EURO", "XYZ", "XAU", "XXX", "DEM", "", "E R", None])
def test_a_request_takes_nothing_but_a_currency(currency: object) -> None:
    with pytest.raises(ValidationError):
        MoneyModel.model_validate({"amount_minor": 1, "currency": currency})


def test_a_request_becomes_money() -> None:
    assert MoneyModel.model_validate({"amount_minor": 1250, "currency": "EUR"}).money() == Money(1250, "EUR")


def test_minor_units_are_those_of_iso_4217_where_the_cldr_has_others() -> None:
    """List one of ISO 4217 has 165 currencies with a minor unit; 11 were withdrawn since 2015."""
    others = {code: digits for code, digits in MINOR_DIGITS.items() if digits != get_currency_precision(code)}
    listed = dict.fromkeys(("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"), 2)
    assert others == listed | {"IQD": 3} | dict.fromkeys(("MRO", "SLL", "STD"), 2)
    assert len(MINOR_DIGITS) == 165 + 11


def test_a_code_that_is_not_listed_has_two_decimals() -> None:
    assert get_minor_digits("ZZZ") == 2


def test_it_is_written_as_the_reader_writes_it() -> None:
    assert format_minor_units(125000, "EUR", Locale("de")) == "1.250,00\N{NO-BREAK SPACE}€"
