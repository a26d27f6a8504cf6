"""Statements as CSV: every bank has its own columns, so a mapping says what they mean."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from services.invoicing.bank.domain.statements.statement_entries import (
    BankStatementClosingBalance,
    BankStatementEntry,
    BankStatementEntryKeys,
    RawBankStatementEntry,
    refuse_bank_statement,
)
from services.invoicing.files.domain.file_rows import LONGEST_ROW, CsvRowLines, CsvRowTooLong

LONGEST_FIELD = 10_000
"""Characters of one field; Python's reader would take more than ten times as many."""

MOST_LINES_BEFORE = 100
"""Rows in which the header is looked for: many banks write account, owner and period above it."""

WRITTEN = {
    ",": re.compile(r"([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]{1,3}(?:'[0-9]{3})+|[0-9]+)(?:,([0-9]+))?"),
    ".": re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:'[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?"),
}
"""Numbers by their decimal separator. What groups thousands must do that: else 12.50 were read as 1250."""
AMOUNT = re.compile(r"([+-]?)([A-Z]{3}|[^\w.,'+-]?)([+-]?)([0-9][0-9.,']*)([+-]?)([A-Z]{3}|[^\w.,'+-]?)([+-]?)")
"""A number with a sign and a currency around it, in any order: sign, currency, sign, number, sign, currency, sign."""
AS_ASCII = str.maketrans({"\u2019": "'", "\u2212": "-"} | dict.fromkeys(" \t\u00a0\u2009\u202f"))
"""Apostrophes and minus signs as typesetters write them; spaces group thousands, or part sign and currency."""


@dataclass(frozen=True, slots=True)
class BankColumnMapping:
    """Names of the columns of a bank's CSV, and its ways to write numbers and dates.

    Without a column for the sign, that of the amount says whether money came in.
    """

    bank_account: str
    booked_on: str
    amount: str
    currency: str | None
    fixed_currency: str | None
    sign: str | None
    credit_signs: tuple[str, ...]
    debit_signs: tuple[str, ...]
    payer: str | None
    text: tuple[str, ...]
    entry_id: str | None
    decimal_separator: str
    date_format: str
    delimiter: str
    encoding: str

    def list_column_headers(self) -> set[str]:
        """Every column that the file must have."""
        single = (self.booked_on, self.amount, self.currency, self.sign, self.payer, self.entry_id)
        return {name for name in (*single, *self.text) if name is not None}


def read_csv_statement(
    body: bytes, columns: BankColumnMapping
) -> Iterator[BankStatementEntry | BankStatementClosingBalance]:
    """The entries of a file in its order, and the day of the last one. Raises BankStatementRefused."""
    keys, last = BankStatementEntryKeys(), None
    for row in _rows(body, columns, keys):
        place = keys.place + 1
        currency = (row[columns.currency].strip() if columns.currency else columns.fixed_currency) or ""
        amount, is_credit = _money(place, row, columns, currency)
        booked_on = _day(place, row[columns.booked_on], columns.date_format)
        last = max(last or booked_on, booked_on)
        raw_entry = RawBankStatementEntry(
            account=columns.bank_account,
            amount=amount,
            currency=currency,
            is_credit=is_credit,
            booked_on=booked_on,
            payer=row[columns.payer] if columns.payer else "",
            text=" ".join(row[name] for name in columns.text),
            reference=row[columns.entry_id] if columns.entry_id else "",
        )
        yield keys.build_bank_statement_entry(raw_entry)
    if last is not None:
        yield BankStatementClosingBalance(columns.bank_account, last)


def _rows(body: bytes, columns: BankColumnMapping, keys: BankStatementEntryKeys) -> Iterator[Mapping[str, str]]:
    """The rows below the header by the names of their columns, each as long as it."""
    text = io.TextIOWrapper(io.BytesIO(body), columns.encoding, newline="")
    lines = CsvRowLines(iter(lambda: text.readline(LONGEST_ROW + 1), ""))
    reader = csv.reader(lines, delimiter=columns.delimiter, strict=True)
    try:
        header = _header(reader, columns.list_column_headers())
        for row in reader:
            lines.start_next_csv_row()
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                refuse_bank_statement(keys.place + 1, "row", f"has {len(row)} fields, and the header {len(header)}")
            if max(map(len, row)) > LONGEST_FIELD:
                refuse_bank_statement(keys.place + 1, "row", "has a field that is too long")
            yield dict(zip(header, row, strict=True))
    except UnicodeDecodeError:
        refuse_bank_statement(keys.place + 1, "encoding", f"not {columns.encoding}")
    except CsvRowTooLong as error:
        refuse_bank_statement(keys.place + 1, "row", str(error))
    except csv.Error as error:
        refuse_bank_statement(keys.place + 1, "row", str(error))


def _header(rows: Iterable[list[str]], names: set[str]) -> list[str]:
    """Find the row that has every column once, among the first ones. Raises BankStatementRefused."""
    nearest: set[str] = set()
    header: list[str] = []
    for row in islice(rows, MOST_LINES_BEFORE):
        header = [name.strip().removeprefix("\ufeff") for name in row]
        once = {name for name in names if header.count(name) == 1}
        nearest = max(nearest, once, key=len)
        if once == names:
            break
    if nearest != names:
        refuse_bank_statement(0, min(names - nearest), "the file does not have this column once")
    return header


def _money(place: int, row: Mapping[str, str], columns: BankColumnMapping, currency: str) -> tuple[str, bool]:
    """The amount without its sign, with a point; and whether money came in."""
    parts = AMOUNT.fullmatch(row[columns.amount].translate(AS_ASCII))
    written = parts and WRITTEN[columns.decimal_separator].fullmatch(parts[4])
    signs, marks = (parts[1] + parts[3] + parts[5] + parts[7], parts[2] + parts[6]) if parts else ("", "")
    if written is None or len(signs) > 1 or not _may_mark(marks, currency):
        refuse_bank_statement(place, columns.amount, "not a number as the mapping says")
    whole, fraction = (re.sub("[.,']", "", part or "") for part in written.groups())
    digits, is_minus = f"{whole}.{fraction}" if fraction else whole, signs == "-"
    if columns.sign is None:
        return digits, not is_minus
    sign = row[columns.sign].strip()
    if sign not in columns.credit_signs + columns.debit_signs:
        refuse_bank_statement(place, columns.sign, "a sign that the mapping does not name")
    return digits, (sign in columns.credit_signs) != is_minus


def _may_mark(mark: str, currency: str) -> bool:
    """Whether this beside an amount says nothing, or its currency: the code, or one sign; the euro has its own."""
    if len(mark) != 1:
        return mark in ("", currency)
    return unicodedata.category(mark) == "Sc" and (mark == "€") == (currency == "EUR")


def _day(place: int, text: str, written: str) -> date:
    try:
        return datetime.strptime(text.strip(), written).date()  # noqa: DTZ007  a day has no zone
    except ValueError:
        refuse_bank_statement(place, "booking date", "not a date as the mapping says")
