"""One line of a vendor's reconciliation file: which columns there are, and what may stand in them.

The columns are those of the vendor's reconciliation of license-based charges (Partner Center's documentation):
names in any case and order, numbers as numbers or text, dates as ISO 8601 or as the portal writes them in English
(month/day/year), with or without a time. Ids that are GUIDs are read in lower case. The vendor's ChargeEndDate is the
last day that is charged, so it is inclusive; here a period ends before `period_to`, which is the day after. A time is
ignored: the date counts as it is written.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from services.invoicing.files.domain.broken_lines import FileLineUnreadable
from services.invoicing.files.domain.file_columns import (
    EARLIEST,
    LATEST,
    FileColumnNames,
    FileLineColumns,
    read_decimal_file_column,
    read_optional_file_column,
    read_required_file_column,
)
from shared.pure.money import parse_minor_units

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
OPTIONAL = ("EffectiveUnitPrice", "BillableQuantity", "ReferenceId", "ProductName", "SkuName")

MOST_MINOR = 10**12
"""The largest amount of a line, in minor units: as many lines as a file may have add up within a 64-bit integer."""

_QUANTITY = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_PRICE = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,15})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].{1,30})?")
_CLOCK = r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?( ?[AaPp][Mm])?"
_PORTAL_DAY = re.compile(rf"(?P<month>[0-9]{{1,2}})/(?P<day>[0-9]{{1,2}})/(?P<year>[0-9]{{4}})( {_CLOCK})?")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class VendorFileLine(NamedTuple):
    """A line as it was read, under the names of the columns; amounts are minor units of the file's currency.

    `kind` is None for a charge type that we do not model. `quantity` is what is billed: BillableQuantity where it
    stands, and then another Quantity is in `extra`. Prices and the quantity are the vendor's decimals as
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


class VendorFileLineReader:
    """Reads the lines of one file, whose amounts are all in one currency."""

    names = FileColumnNames(REQUIRED, OPTIONAL)

    def __init__(self, currency: str) -> None:
        self._currency = currency
        # Prices and terms repeat from line to line, and reading one anew costs more than looking it up.
        self._minor = lru_cache(maxsize=8192)(self._read_minor)

    def read_file_line(self, line: int, columns: FileLineColumns, values: Sequence[Any]) -> VendorFileLine:
        """The line of these values. Raises FileLineUnreadable."""
        places = columns.places
        charge_type = read_required_file_column(values, places, "ChargeType")
        kind = _KINDS.get(charge_type.lower())
        self._check_currency(read_required_file_column(values, places, "Currency"))
        customer = normalise_vendor_id(read_optional_file_column(values, places, "CustomerId"))
        subscription = normalise_vendor_id(read_optional_file_column(values, places, "SubscriptionId"))
        quantity, replaced = _quantities(values, places)
        starts, ends = (
            read_optional_file_column(values, places, "ChargeStartDate"),
            read_optional_file_column(values, places, "ChargeEndDate"),
        )
        if kind is not None:
            _check_there(CustomerId=customer, SubscriptionId=subscription, ChargeStartDate=starts, ChargeEndDate=ends)
        period_from, period_to = _period(starts, ends)
        return VendorFileLine(
            line,
            customer,
            subscription,
            read_optional_file_column(values, places, "ProductName" if "ProductName" in places else "SkuName"),
            charge_type,
            kind,
            read_decimal_file_column(read_required_file_column(values, places, "UnitPrice"), _PRICE, "UnitPrice"),
            _price(read_optional_file_column(values, places, "EffectiveUnitPrice")),
            quantity,
            self._amount(values, places, "Subtotal"),
            self._amount(values, places, "TaxTotal"),
            self._amount(values, places, "Total"),
            period_from,
            period_to,
            read_optional_file_column(values, places, "ReferenceId"),
            _extra(values, columns.unknown, replaced),
        )

    def _check_currency(self, currency: str) -> None:
        if currency.upper() != self._currency:
            raise FileLineUnreadable("Currency", f"{currency!r} is not {self._currency}, the invoice's currency")

    def _amount(self, values: Sequence[Any], places: Mapping[str, int], name: str) -> int:
        try:
            return self._minor(read_required_file_column(values, places, name))
        except FileLineUnreadable:
            raise
        except ValueError as error:
            raise FileLineUnreadable(name, str(error)) from error

    def _read_minor(self, amount: str) -> int:
        minor = parse_minor_units(amount, self._currency)
        if abs(minor) > MOST_MINOR:
            raise ValueError(f"{amount!r} is more than a line can have")
        return minor


def normalise_vendor_id(vendor_id: str | None) -> str | None:
    """Return an id of the vendor's with a GUID in lower case: the vendor's APIs and files differ in it.

    In SQL it is `repository.cost_comparison.NORMAL_ID`.
    """
    return vendor_id.lower() if vendor_id is not None and _GUID.fullmatch(vendor_id) else vendor_id


def _quantities(values: Sequence[Any], places: Mapping[str, int]) -> tuple[str, str | None]:
    """Read the quantity that is billed, and Quantity where that is another one. Raises FileLineUnreadable."""
    quantity = read_decimal_file_column(read_required_file_column(values, places, "Quantity"), _QUANTITY, "Quantity")
    billable = read_optional_file_column(values, places, "BillableQuantity")
    if billable is None:
        return quantity, None
    billed = read_decimal_file_column(billable, _QUANTITY, "BillableQuantity")
    return billed, quantity if quantity != billed else None


def _check_there(**fields: str | None) -> None:
    """Check that what we compare by is there."""
    for name, value in fields.items():
        if value is None:
            raise FileLineUnreadable(name, "is empty")


def _price(number: str | None) -> str | None:
    return None if number is None else read_decimal_file_column(number, _PRICE, "EffectiveUnitPrice")


def _period(starts: str | None, ends: str | None) -> tuple[str | None, str | None]:
    first = None if starts is None else _on(starts, "ChargeStartDate")
    last = None if ends is None else _on(ends, "ChargeEndDate")
    if first is not None and last is not None and last < first:
        raise FileLineUnreadable("ChargeEndDate", f"{last} is before {first}, when the charge starts")
    return (None if first is None else first.isoformat()), (None if last is None else _day_after(last))


def _on(written: str, name: str) -> date:
    try:
        return _day(written)
    except ValueError as error:
        raise FileLineUnreadable(name, f"{written[:40]!r} is no date") from error


@lru_cache(maxsize=8192)
def _day(written: str) -> date:
    day = _portal_day(written) if "/" in written else _iso_day(written)
    if not EARLIEST <= day <= LATEST:
        raise ValueError(written)
    return day


def _iso_day(written: str) -> date:
    if not _DAY.fullmatch(written):
        raise ValueError(written)
    return datetime.fromisoformat(written).date()


def _portal_day(written: str) -> date:
    match = _PORTAL_DAY.fullmatch(written)
    if match is None:
        raise ValueError(written)
    return date(int(match["year"]), int(match["month"]), int(match["day"]))


@lru_cache(maxsize=8192)
def _day_after(day: date) -> str:
    return (day + timedelta(days=1)).isoformat()


def _extra(values: Sequence[Any], unknown: Sequence[tuple[int, str]], quantity: str | None) -> str | None:
    """The columns that we do not know, as JSON, and a Quantity that is not what is billed."""
    fields = {name: values[place] for place, name in unknown if values[place] not in (None, "")}
    if quantity is not None:
        fields["Quantity"] = quantity
    return orjson.dumps(fields).decode() if fields else None
