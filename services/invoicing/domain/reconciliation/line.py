"""One line of a vendor's reconciliation file: which columns there are, and what may stand in them.

The columns are those of the vendor's reconciliation of license-based charges (Partner Center's documentation):
names in any case and order, numbers as numbers or text, dates as ISO 8601 with or without a time. The vendor's
ChargeEndDate is the last day that is charged, so it is inclusive; here a period ends before `period_to`, which is
the day after. A time is ignored: the date counts as it is written.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from shared.money import to_minor

KINDS = ("new", "renew", "cycleCharge", "addQuantity", "removeQuantity", "cancelImmediate")
"""The charge types that we model, by the vendor's names; anything else cannot be compared."""
_KINDS = {kind.lower(): kind for kind in KINDS}

REQUIRED = (
    "CustomerId",
    "SubscriptionId",
    "ChargeType",
    "UnitPrice",
    "Quantity",
    "Subtotal",
    "TaxTotal",
    "Total",
    "Currency",
    "ChargeStartDate",
    "ChargeEndDate",
)
OPTIONAL = ("EffectiveUnitPrice", "ReferenceId", "ProductName", "SkuName")
_KNOWN = {name.lower(): name for name in REQUIRED + OPTIONAL}

MOST_MINOR = 10**12
"""The largest amount of a line, in minor units: as many lines as a file may have add up within a 64-bit integer."""
LONGEST_TEXT = 500
EARLIEST, LATEST = date(1990, 1, 1), date(2200, 1, 1)

_QUANTITY = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_PRICE = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,15})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].{1,30})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Broken:
    """What is wrong with a line: its number in the file (the first is 1), the column, and in words."""

    line: int
    column: str | None
    message: str


class LineBroken(ValueError):
    """A line cannot be read."""

    def __init__(self, column: str | None, message: str) -> None:
        super().__init__(message)
        self.column = column


class Read(NamedTuple):
    """A line as it was read, in the order of the table's columns; amounts are minor units of the file's currency.

    `kind` is None for a charge type that we do not model. Prices and the quantity are the vendor's decimals as
    text: they are no amounts, and have more places than a minor unit.
    """

    line: int
    vendor_customer_id: str | None
    vendor_subscription_id: str | None
    product: str | None
    charge_type: str
    kind: str | None
    unit_price: str
    effective_unit_price: str | None
    quantity: str
    subtotal_minor: int
    tax_minor: int
    total_minor: int
    period_from: str | None
    period_to: str | None
    reference: str | None
    extra: str | None


class Columns:
    """Where the columns stand in a line, made once for each order of names. Raises LineBroken for lacking ones."""

    def __init__(self, names: Sequence[str]) -> None:
        self.width = len(names)
        places: dict[str, int] = {}
        self.unknown: list[tuple[int, str]] = []
        for place, name in enumerate(names):
            known = _KNOWN.get(name.strip().lower())
            if known is None:
                self.unknown.append((place, name.strip()))
            elif known in places:
                raise LineBroken(known, "the column is there twice")
            else:
                places[known] = place
        for name in REQUIRED:
            if name not in places:
                raise LineBroken(name, "the column is missing")
        self.places: Mapping[str, int] = places
        self.product = places.get("ProductName", places.get("SkuName"))


class Reader:
    """Reads the lines of one file, whose amounts are all in one currency."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        # Prices and terms repeat from line to line, and reading one anew costs more than looking it up.
        self._minor = lru_cache(maxsize=8192)(self._read_minor)

    def read(self, line: int, columns: Columns, values: Sequence[Any]) -> Read:
        """The line of these values. Raises LineBroken."""
        if len(values) != columns.width:
            raise LineBroken(None, f"the line has {len(values)} values, and there are {columns.width} columns")
        places = columns.places
        charge_type = _named(values, places, "ChargeType")
        kind = _KINDS.get(charge_type.lower())
        self._check_currency(_named(values, places, "Currency"))
        customer, subscription = _text(values, places, "CustomerId"), _text(values, places, "SubscriptionId")
        starts, ends = _text(values, places, "ChargeStartDate"), _text(values, places, "ChargeEndDate")
        if kind is not None:
            _check_there(CustomerId=customer, SubscriptionId=subscription, ChargeStartDate=starts, ChargeEndDate=ends)
        period_from, period_to = _period(starts, ends)
        return Read(
            line,
            customer,
            subscription,
            _product(values, columns.product),
            charge_type,
            kind,
            _decimal(_named(values, places, "UnitPrice"), _PRICE, "UnitPrice"),
            _price(_text(values, places, "EffectiveUnitPrice")),
            _decimal(_named(values, places, "Quantity"), _QUANTITY, "Quantity"),
            self._amount(values, places, "Subtotal"),
            self._amount(values, places, "TaxTotal"),
            self._amount(values, places, "Total"),
            period_from,
            period_to,
            _text(values, places, "ReferenceId"),
            _extra(values, columns.unknown),
        )

    def _check_currency(self, currency: str) -> None:
        if currency.upper() != self._currency:
            raise LineBroken("Currency", f"{currency!r} is not {self._currency}, the invoice's currency")

    def _amount(self, values: Sequence[Any], places: Mapping[str, int], name: str) -> int:
        try:
            return self._minor(_named(values, places, name))
        except LineBroken:
            raise
        except ValueError as error:
            raise LineBroken(name, str(error)) from error

    def _read_minor(self, amount: str) -> int:
        minor = to_minor(amount, self._currency)
        if abs(minor) > MOST_MINOR:
            raise ValueError(f"{amount!r} is more than a line can have")
        return minor


def _text(values: Sequence[Any], places: Mapping[str, int], name: str) -> str | None:
    """What stands in a column, or None if nothing does."""
    place = places.get(name)
    return None if place is None else _said(values[place], name)


def _said(value: Any, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise LineBroken(name, "is neither text nor a number")
    text = value.strip()
    if len(text) > LONGEST_TEXT:
        raise LineBroken(name, f"is longer than {LONGEST_TEXT} characters")
    if not text.isprintable() and _CONTROL.search(text):
        raise LineBroken(name, "has a control character")
    return text or None


def _named(values: Sequence[Any], places: Mapping[str, int], name: str) -> str:
    text = _text(values, places, name)
    if text is None:
        raise LineBroken(name, "is empty")
    return text


def _check_there(**fields: str | None) -> None:
    """What we model is compared by these."""
    for name, value in fields.items():
        if value is None:
            raise LineBroken(name, "is empty")


def _product(values: Sequence[Any], place: int | None) -> str | None:
    return None if place is None else _said(values[place], "ProductName")


def _decimal(text: str, form: re.Pattern[str], name: str) -> str:
    if not form.fullmatch(text):
        raise LineBroken(name, f"{text[:40]!r} is no number")
    return text


def _price(text: str | None) -> str | None:
    return None if text is None else _decimal(text, _PRICE, "EffectiveUnitPrice")


def _period(starts: str | None, ends: str | None) -> tuple[str | None, str | None]:
    first = None if starts is None else _on(starts, "ChargeStartDate")
    last = None if ends is None else _on(ends, "ChargeEndDate")
    if first is not None and last is not None and last < first:
        raise LineBroken("ChargeEndDate", f"{last} is before {first}, when the charge starts")
    return (None if first is None else first.isoformat()), (None if last is None else _day_after(last))


def _on(text: str, name: str) -> date:
    try:
        return _day(text)
    except ValueError as error:
        raise LineBroken(name, f"{text[:40]!r} is no date") from error


@lru_cache(maxsize=8192)
def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    day = datetime.fromisoformat(text).date()
    if not EARLIEST <= day <= LATEST:
        raise ValueError(text)
    return day


@lru_cache(maxsize=8192)
def _day_after(day: date) -> str:
    return (day + timedelta(days=1)).isoformat()


def _extra(values: Sequence[Any], unknown: Sequence[tuple[int, str]]) -> str | None:
    """The columns that we do not know, as JSON; those in which something stands."""
    found = {name: values[place] for place, name in unknown if values[place] not in (None, "")}
    return orjson.dumps(found).decode() if found else None
