"""The two layouts of a file of lines: CSV with a header, and JSON lines. Both as lines of names and values."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from services.invoicing.files.domain.broken_lines import MOST_REPORTED, BrokenLine, LineBroken
from services.invoicing.files.domain.file_columns import ColumnNames, LineColumns
from services.invoicing.files.domain.file_rows import RowLines, RowTooLong

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MOST_LINES = 5_000_000
"""More than five months' lines of the largest resellers; and a small gzip can stand for any number."""
MOST_ORDERS = 100
"""How many orders of the names of JSON lines are kept in mind."""
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")
"""The escape of a NUL; not that of a backslash before `u0000`."""


class Layout(StrEnum):
    """How the lines of a file are written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class FileBroken(Exception):
    """The file cannot go on from here: what it is read from is broken (a truncated gzip, say)."""


class Reader(Protocol[T_co]):
    """Reader of lines: the names of a file's columns, and the meaning of a line."""

    names: ColumnNames

    def read(self, line: int, columns: LineColumns, values: Sequence[Any]) -> T_co:
        """The line of these values. Raises LineBroken."""


class FileLines(Generic[T]):
    """The lines of one file, as far as they can be read; what is broken is kept in `broken`.

    After the first broken line nothing is yielded any more, since the file is taken wholly or not at all: what
    follows is only searched for more that is broken.
    """

    def __init__(self, layout: Layout, reader: Reader[T]) -> None:
        self.broken: list[BrokenLine] = []
        self._layout = layout
        self._reader = reader

    def read(self, raw: Iterable[bytes]) -> Iterator[T]:
        """The lines of the file's raw lines."""
        split = _of_csv if self._layout is Layout.CSV else _of_json
        for number, columns, values in split(self._decode_lines(raw), self._reader.names, self.broken):
            try:
                line = self._read(number, columns, values)
            except LineBroken as error:
                self.broken.append(BrokenLine(number, error.column, str(error)))
            else:
                if not self.broken:
                    yield line
            if len(self.broken) >= MOST_REPORTED:
                return

    def _read(self, number: int, columns: LineColumns, values: Sequence[Any]) -> T:
        if len(values) != columns.width:
            raise LineBroken(None, f"the line has {len(values)} values, and there are {columns.width} columns")
        return self._reader.read(number, columns, values)

    def _decode_lines(self, raw: Iterable[bytes]) -> Iterator[str]:
        """The lines as text; a file that ends in the middle is broken where it ends."""
        number = 0
        try:
            for number, line in enumerate(raw, 1):
                if number > MOST_LINES:
                    raise FileBroken(f"the file has more than {MOST_LINES} lines")
                yield self._text(number, line)
        except FileBroken as error:
            self.broken.append(BrokenLine(min(number + 1, MOST_LINES), None, str(error)))

    def _text(self, number: int, line: bytes) -> str:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            self.broken.append(BrokenLine(number, None, "is not UTF-8"))
            return line.decode(errors="replace")
        if "\0" in text:
            self.broken.append(BrokenLine(number, None, "has a NUL character"))
        return text.removeprefix(_BOM) if number == 1 else text


Split = Iterator[tuple[int, LineColumns, Sequence[Any]]]


def _of_csv(lines: Iterator[str], column_names: ColumnNames, broken: list[BrokenLine]) -> Split:
    row_lines = RowLines(lines)
    rows = csv.reader(row_lines, strict=True)
    columns: LineColumns | None = None
    while True:
        number = rows.line_num + 1
        row_lines.begin_row()
        try:
            values = next(rows)
            if columns is None:
                columns = LineColumns(column_names, values)
            elif values:
                yield number, columns, values
        except StopIteration:
            break
        except LineBroken as error:
            broken.append(BrokenLine(number, error.column, str(error)))
            return
        except RowTooLong as error:
            broken.append(BrokenLine(number, None, str(error)))
            return
        except csv.Error as error:
            broken.append(BrokenLine(number, None, f"is no CSV: {error}"))
            if len(broken) >= MOST_REPORTED:
                return
    if columns is None and not broken:
        broken.append(BrokenLine(1, None, "the file has no header"))


def _number(text: str) -> str:
    """Digit for digit: a float would lose some."""
    return text


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=_no_number)


def _of_json(lines: Iterator[str], column_names: ColumnNames, broken: list[BrokenLine]) -> Split:
    orders: dict[tuple[str, ...], LineColumns] = {}
    for number, text in enumerate(lines, 1):
        if text.isspace() or not text:
            continue
        try:
            fields = _object(text)
            names = tuple(fields)
            columns = orders.get(names)
            if columns is None:
                columns = LineColumns(column_names, names)
                if len(orders) < MOST_ORDERS:
                    orders[names] = columns
        except LineBroken as error:
            broken.append(BrokenLine(number, error.column, str(error)))
            if len(broken) >= MOST_REPORTED:
                return
            continue
        yield number, columns, list(fields.values())


def _object(text: str) -> dict[str, Any]:
    try:
        fields = _DECODER.decode(text.strip())
    except (ValueError, RecursionError) as error:
        raise LineBroken(None, f"is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise LineBroken(None, "is no JSON object")
    if "\\u" in text and not _is_storable(fields):
        raise LineBroken(None, "has a NUL or half a character")
    return fields


def _is_storable(fields: dict[str, Any]) -> bool:
    """Whether Postgres can keep it: escapes can say what no UTF-8 has."""
    text = json.dumps(fields, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return not _NUL.search(text)
