"""The two layouts of a file of lines: CSV with a header, and JSON lines. Both as lines of names and values."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from services.invoicing.files.domain.broken_lines import MOST_REPORTED, BrokenFileLine, FileLineUnreadable
from services.invoicing.files.domain.file_columns import FileColumnNames, FileLineColumns
from services.invoicing.files.domain.file_rows import CsvRowLines, CsvRowTooLong

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MOST_LINES = 5_000_000
"""More than five months' lines of the largest resellers; and a small gzip can stand for any number."""
MOST_ORDERS = 100
"""How many orders of the names of JSON lines are kept in mind."""
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")
"""The escape of a NUL; not that of a backslash before `u0000`."""


class UploadedFileLayout(StrEnum):
    """How the lines of a file are written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class UploadedFileUnreadable(Exception):
    """The file cannot go on from here: what it is read from is broken (a truncated gzip, say)."""


class FileLineReader(Protocol[T_co]):
    """Reader of lines: the names of a file's columns, and the meaning of a line."""

    names: FileColumnNames

    def read_file_line(self, line: int, columns: FileLineColumns, values: Sequence[Any]) -> T_co:
        """The line of these values. Raises FileLineUnreadable."""


class ParsedFileLines(Generic[T]):
    """The lines of one file, as far as they can be read; what is broken is kept in `broken`.

    After the first broken line nothing is yielded any more, since the file is taken wholly or not at all: what
    follows is only searched for more that is broken.
    """

    def __init__(self, layout: UploadedFileLayout, reader: FileLineReader[T]) -> None:
        self.broken: list[BrokenFileLine] = []
        self._layout = layout
        self._reader = reader

    def parse_raw_file_lines(self, raw: Iterable[bytes]) -> Iterator[T]:
        """The lines of the file's raw lines."""
        split = _of_csv if self._layout is UploadedFileLayout.CSV else _of_json
        for number, columns, values in split(self._decode_lines(raw), self._reader.names, self.broken):
            try:
                line = self._read(number, columns, values)
            except FileLineUnreadable as error:
                self.broken.append(BrokenFileLine(number, error.column, str(error)))
            else:
                if not self.broken:
                    yield line
            if len(self.broken) >= MOST_REPORTED:
                return

    def _read(self, number: int, columns: FileLineColumns, values: Sequence[Any]) -> T:
        if len(values) != columns.width:
            raise FileLineUnreadable(None, f"the line has {len(values)} values, and there are {columns.width} columns")
        return self._reader.read_file_line(number, columns, values)

    def _decode_lines(self, raw: Iterable[bytes]) -> Iterator[str]:
        """The lines as text; a file that ends in the middle is broken where it ends."""
        number = 0
        try:
            for number, line in enumerate(raw, 1):
                if number > MOST_LINES:
                    raise UploadedFileUnreadable(f"the file has more than {MOST_LINES} lines")
                yield self._text(number, line)
        except UploadedFileUnreadable as error:
            self.broken.append(BrokenFileLine(min(number + 1, MOST_LINES), None, str(error)))

    def _text(self, number: int, line: bytes) -> str:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            self.broken.append(BrokenFileLine(number, None, "is not UTF-8"))
            return line.decode(errors="replace")
        if "\0" in text:
            self.broken.append(BrokenFileLine(number, None, "has a NUL character"))
        return text.removeprefix(_BOM) if number == 1 else text


Split = Iterator[tuple[int, FileLineColumns, Sequence[Any]]]


def _of_csv(lines: Iterator[str], column_names: FileColumnNames, broken: list[BrokenFileLine]) -> Split:
    row_lines = CsvRowLines(lines)
    rows = csv.reader(row_lines, strict=True)
    columns: FileLineColumns | None = None
    while True:
        number = rows.line_num + 1
        row_lines.start_next_csv_row()
        try:
            values = next(rows)
            if columns is None:
                columns = FileLineColumns(column_names, values)
            elif values:
                yield number, columns, values
        except StopIteration:
            break
        except FileLineUnreadable as error:
            broken.append(BrokenFileLine(number, error.column, str(error)))
            return
        except CsvRowTooLong as error:
            broken.append(BrokenFileLine(number, None, str(error)))
            return
        except csv.Error as error:
            broken.append(BrokenFileLine(number, None, f"is no CSV: {error}"))
            if len(broken) >= MOST_REPORTED:
                return
    if columns is None and not broken:
        broken.append(BrokenFileLine(1, None, "the file has no header"))


def _number(text: str) -> str:
    """Digit for digit: a float would lose some."""
    return text


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=_no_number)


def _of_json(lines: Iterator[str], column_names: FileColumnNames, broken: list[BrokenFileLine]) -> Split:
    orders: dict[tuple[str, ...], FileLineColumns] = {}
    for number, text in enumerate(lines, 1):
        if text.isspace() or not text:
            continue
        try:
            fields = _object(text)
            names = tuple(fields)
            columns = orders.get(names)
            if columns is None:
                columns = FileLineColumns(column_names, names)
                if len(orders) < MOST_ORDERS:
                    orders[names] = columns
        except FileLineUnreadable as error:
            broken.append(BrokenFileLine(number, error.column, str(error)))
            if len(broken) >= MOST_REPORTED:
                return
            continue
        yield number, columns, list(fields.values())


def _object(text: str) -> dict[str, Any]:
    try:
        fields = _DECODER.decode(text.strip())
    except (ValueError, RecursionError) as error:
        raise FileLineUnreadable(None, f"is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise FileLineUnreadable(None, "is no JSON object")
    if "\\u" in text and not _is_storable(fields):
        raise FileLineUnreadable(None, "has a NUL or half a character")
    return fields


def _is_storable(fields: dict[str, Any]) -> bool:
    """Whether Postgres can keep it: escapes can say what no UTF-8 has."""
    text = json.dumps(fields, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return not _NUL.search(text)
