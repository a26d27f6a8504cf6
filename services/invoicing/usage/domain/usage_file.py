"""One line of a file of usage: the same fields as in a request, by the names of columns in any case and order.

Numbers may be text; a column `currency` may be there and then says the currency of the file. Dates are `YYYY-MM-DD`,
and `period_to` is the day after the last one.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

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
from services.invoicing.usage.domain.usage_lines import UsageLine
from shared.pure.hidden_characters import find_hidden_character

REQUIRED = ("id", "subscription_id", "meter", "quantity", "unit_cost", "period_from", "period_to")
LONGEST_METER = 200

_ID = re.compile(r"[A-Za-z0-9._-]{1,60}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class UsageLineReader:
    """Reads the lines of one file, whose unit costs are all in one currency."""

    names = FileColumnNames(REQUIRED, ("currency",))

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def read_file_line(self, line: int, columns: FileLineColumns, values: Sequence[Any]) -> UsageLine:
        """The line of these values. Raises FileLineUnreadable."""
        places = columns.places
        self._check_currency(read_optional_file_column(values, places, "currency"))
        meter = read_required_file_column(values, places, "meter")
        if len(meter) > LONGEST_METER:
            raise FileLineUnreadable("meter", f"is longer than {LONGEST_METER} characters")
        if find_hidden_character(meter) is not None:
            raise FileLineUnreadable("meter", "has a character that cannot be seen")
        first, after = _on(values, places, "period_from"), _on(values, places, "period_to")
        if after <= first:
            raise FileLineUnreadable("period_to", f"{after} is not after {first}, the period_from")
        return UsageLine(
            line,
            _is_well_formed(values, places, "id", _ID),
            _is_well_formed(values, places, "subscription_id", _UUID),
            meter,
            read_decimal_file_column(read_required_file_column(values, places, "quantity"), _NUMBER, "quantity"),
            read_decimal_file_column(read_required_file_column(values, places, "unit_cost"), _NUMBER, "unit_cost"),
            first,
            after,
        )

    def _check_currency(self, currency: str | None) -> None:
        if currency is not None and currency.upper() != self._currency:
            raise FileLineUnreadable("currency", f"{currency[:40]!r} is not {self._currency}, the currency of the file")


def _is_well_formed(values: Sequence[Any], places: Mapping[str, int], name: str, form: re.Pattern[str]) -> str:
    text = read_required_file_column(values, places, name)
    if not form.fullmatch(text):
        raise FileLineUnreadable(name, f"{text[:40]!r} is not written as it must be")
    return text


def _on(values: Sequence[Any], places: Mapping[str, int], name: str) -> str:
    text = read_required_file_column(values, places, name)
    if not _is_day(text):
        raise FileLineUnreadable(name, f"{text[:40]!r} is no date")
    return text


@lru_cache(maxsize=8192)
def _is_day(written: str) -> bool:
    try:
        return bool(_DAY.fullmatch(written)) and EARLIEST <= date.fromisoformat(written) <= LATEST
    except ValueError:
        return False
