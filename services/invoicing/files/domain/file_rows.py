"""Rows of CSV, which may be of several lines: none is longer than it may be, so that none takes all memory."""

from collections.abc import Iterable, Iterator

LONGEST_ROW = 1 << 20
"""Characters of one row, of all its lines."""


class CsvRowTooLong(Exception):
    """A row goes on and on."""


class CsvRowLines:
    """Lines for a reader of CSV. Raises CsvRowTooLong for a row of more characters than it may have."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self._row_chars = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._row_chars += len(line)
            if self._row_chars > LONGEST_ROW:
                raise CsvRowTooLong(f"is a row of more than {LONGEST_ROW} characters")
            yield line

    def start_next_csv_row(self) -> None:
        """Begin to count again: the reader has found the end of a row."""
        self._row_chars = 0
