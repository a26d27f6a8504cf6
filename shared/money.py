"""Money: integer minor units with an ISO 4217 currency, never a float, never added across currencies."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Self

from babel import Locale
from babel.numbers import format_currency, get_currency_precision
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.errors import Refusal

MAX_MINOR = 9_000_000_000_000_000
"""The largest amount that is taken in: it leaves room for sums within a 64-bit integer."""

_AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
"""A Decimal would read underscores and foreign digits too, and exponents whose number no memory holds."""


class CurrencyMismatch(Refusal):
    """Two amounts of different currencies were to be added or compared."""

    code = "currency_mismatch"
    status = 422


@lru_cache
def known_currencies() -> frozenset[str]:
    """The ISO 4217 codes that are accepted."""
    return frozenset(map(str, Locale("en").currencies))


def _known(code: str) -> str:
    if code not in known_currencies():
        raise ValueError("not an ISO 4217 currency")
    return code


Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"]), AfterValidator(_known)]
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
        digits = get_currency_precision(self.currency)
        return format_currency(Decimal(self.minor).scaleb(-digits), self.currency, locale="en")


def to_minor(amount: str, currency: str) -> int:
    """`"12.50", "EUR"` → 1250. Raises ValueError for what is no amount or has too many decimals."""
    if not _AMOUNT.fullmatch(amount):
        raise ValueError(f"{amount[:40]!r} is no amount")
    scaled = Decimal(amount).scaleb(get_currency_precision(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount!r} has more decimals than {currency} has")
    return int(scaled)


class MoneyModel(BaseModel):
    """Money as it appears in requests, answers and events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount_minor: PositiveMinor = Field(examples=[1250], description="minor units: 1250 EUR is 12.50 €")
    currency: Currency

    def money(self) -> Money:
        """The value."""
        return Money(self.amount_minor, self.currency)
