"""Columns of a file, in any order and case, and what stands in them."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.invoicing.files.domain.broken_lines import FileLineUnreadable

LONGEST_TEXT = 500
MOST_COLUMNS = 1000
EARLIEST, LATEST = date(1990, 1, 1), date(2200, 1, 1)
"""What can be a date of business, in requests too."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class FileColumnNames:
    """The columns that are known: those that a file must have, and others."""

    def __init__(self, required: Sequence[str], optional: Sequence[str] = ()) -> None:
        self.required = required
        self.known = {name.lower(): name for name in (*required, *optional)}


class FileLineColumns:
    """Where the columns stand in a line, made once for each order of names.

    Raises FileLineUnreadable for lacking ones.
    """

    def __init__(self, column_names: FileColumnNames, names: Sequence[str]) -> None:
        if len(names) > MOST_COLUMNS:
            raise FileLineUnreadable(None, f"has more than {MOST_COLUMNS} columns")
        self.width = len(names)
        places: dict[str, int] = {}
        self.unknown: list[tuple[int, str]] = []
        for place, said in enumerate(names):
            name = column_names.known.get(said.strip().lower())
            if name is None:
                self.unknown.append((place, said.strip()))
            elif name in places:
                raise FileLineUnreadable(name, "the column is there twice")
            else:
                places[name] = place
        for name in column_names.required:
            if name not in places:
                raise FileLineUnreadable(name, "the column is missing")
        self.places: Mapping[str, int] = places


def read_optional_file_column(values: Sequence[Any], places: Mapping[str, int], name: str) -> str | None:
    """Read what stands in a column, or None if nothing does. Raises FileLineUnreadable."""
    place = places.get(name)
    return None if place is None else clean_file_column_text(values[place], name)


def clean_file_column_text(value: Any, name: str) -> str | None:
    """A value as text without the space around it, or None if it is empty. Raises FileLineUnreadable."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise FileLineUnreadable(name, "is neither text nor a number")
    text = value.strip()
    if len(text) > LONGEST_TEXT:
        raise FileLineUnreadable(name, f"is longer than {LONGEST_TEXT} characters")
    if not text.isprintable() and _CONTROL.search(text):
        raise FileLineUnreadable(name, "has a control character")
    return text or None


def read_required_file_column(values: Sequence[Any], places: Mapping[str, int], name: str) -> str:
    """Read what stands in a column. Raises FileLineUnreadable, also if nothing does."""
    text = read_optional_file_column(values, places, name)
    if text is None:
        raise FileLineUnreadable(name, "is empty")
    return text


def read_decimal_file_column(number: str, form: re.Pattern[str], name: str) -> str:
    """A number that is written as it must be, as it is written. Raises FileLineUnreadable."""
    if not form.fullmatch(number):
        raise FileLineUnreadable(name, f"{number[:40]!r} is no number")
    return number
