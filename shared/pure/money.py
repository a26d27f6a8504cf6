"""Money: integer minor units with an ISO 4217 currency, never a float, never added across currencies."""

import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Self

from babel import Locale
from babel.numbers import NumberPattern
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.pure.errors import Refusal

MAX_MINOR = 9_000_000_000_000_000
"""The largest amount that is taken in: it leaves room for sums within a 64-bit integer."""

_AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
"""A Decimal would read underscores and foreign digits too, and exponents whose number no memory holds."""


_LISTED = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
        "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
        "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU "
        "MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR "
        "SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED "
        "VES WST XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_WITHDRAWN = {0: "BYR", 2: "ANG BGN CUC HRK LTL MRO SLL STD VEF ZWL"}
"""Codes that ISO 4217 has withdrawn since 2015 (list three): ledgers of these years are still kept."""

MINOR_DIGITS: Mapping[str, int] = MappingProxyType(
    {code: digits for table in (_LISTED, _WITHDRAWN) for digits, codes in table.items() for code in codes.split()}
)
"""Decimals of the minor unit of each currency: ISO 4217, list one of 2026-01-01, published by SIX.

What has no minor unit there (gold, drawing rights, test codes) is no money here. The CLDR, by which Babel writes
amounts, has fewer digits for thirteen currencies: those that are in use in shops, not those of the unit.
"""


class CurrencyMismatch(Refusal):
    """Two amounts of different currencies were to be added or compared."""

    code = "currency_mismatch"
    status = 422


@lru_cache
def list_known_currencies() -> frozenset[str]:
    """The ISO 4217 codes that are accepted."""
    return frozenset(MINOR_DIGITS)


def get_minor_digits(currency: str) -> int:
    """Get the decimals of a currency's minor unit; 2 for a code that ISO 4217 does not have."""
    return MINOR_DIGITS.get(currency, 2)


def format_minor_units(minor: int, currency: str, locale: Locale) -> str:
    """Write an amount of minor units as a locale does, with all decimals of the currency's minor unit."""
    digits = get_minor_digits(currency)
    amount = Decimal(minor).scaleb(-digits)
    return str(_pattern(locale, digits).apply(amount, locale, currency=currency, currency_digits=False))


@lru_cache
def _pattern(locale: Locale, digits: int) -> NumberPattern:
    pattern: NumberPattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return pattern


def _check_currency(code: str) -> str:
    if code not in list_known_currencies():
        raise ValueError("not an ISO 4217 currency")
    return code


Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"]), AfterValidator(_check_currency)]
"""An ISO 4217 code, as a field of a request or an event."""

Minor = Annotated[int, Field(ge=0, le=MAX_MINOR, strict=True)]
"""An amount in minor units, zero or more."""

PositiveMinor = Annotated[int, Field(gt=0, le=MAX_MINOR, strict=True)]
"""An amount in minor units, above zero."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units of one currency (1250 EUR is 12.50 €)."""

    minor: int
    currency: str

    def _same(self, other: Self) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} are never added")

    def __add__(self, other: Self) -> Self:
        self._same(other)
        return type(self)(self.minor + other.minor, self.currency)

    def __sub__(self, other: Self) -> Self:
        self._same(other)
        return type(self)(self.minor - other.minor, self.currency)

    def __str__(self) -> str:
        return format_minor_units(self.minor, self.currency, Locale("en"))


def parse_minor_units(amount: str, currency: str) -> int:
    """`"12.50", "EUR"` → 1250. Raises ValueError for what is no amount or has too many decimals."""
    if not _AMOUNT.fullmatch(amount):
        raise ValueError(f"{amount[:40]!r} is no amount")
    scaled = Decimal(amount).scaleb(get_minor_digits(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount!r} has more decimals than {currency} has")
    return int(scaled)


class MoneyModel(BaseModel):
    """Money as it appears in requests, answers and events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount_minor: PositiveMinor = Field(examples=[1250], description="minor units: 1250 EUR is 12.50 €")
    currency: Currency

    def money(self) -> Money:
        """Amount with its currency, as the value that is computed with."""
        return Money(self.amount_minor, self.currency)
