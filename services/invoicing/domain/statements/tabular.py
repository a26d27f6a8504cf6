"""Statements as CSV: every bank has its own columns, so a mapping says what they mean."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.invoicing.domain.statements.entries import Closing, Entry, Found, Keys, refuse

LONGEST_FIELD = 10_000
"""Characters of one field; Python's reader would take more than ten times as many."""

WRITTEN = {
    ",": re.compile(r"([+-]?)([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,([0-9]+))?"),
    ".": re.compile(r"([+-]?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?"),
}
"""Numbers by their decimal separator. What groups thousands must do that: else 12.50 were read as 1250."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a bank's CSV are called, and how it writes numbers and dates.

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

    def named(self) -> set[str]:
        """Every column that the file must have."""
        single = (self.booked_on, self.amount, self.currency, self.sign, self.payer, self.entry_id)
        return {name for name in (*single, *self.text) if name is not None}


def read(body: bytes, columns: Columns) -> Iterator[Entry | Closing]:
    """The entries of a file in its order, and the day of the last one. Raises StatementRefused."""
    keys, last = Keys(), None
    for row in _rows(body, columns, keys):
        place = keys.place + 1
        amount, is_credit = _money(place, row, columns)
        booked_on = _day(place, row[columns.booked_on], columns.date_format)
        last = max(last or booked_on, booked_on)
        found = Found(
            account=columns.bank_account,
            amount=amount,
            currency=(row[columns.currency].strip() if columns.currency else columns.fixed_currency) or "",
            is_credit=is_credit,
            booked_on=booked_on,
            payer=row[columns.payer] if columns.payer else "",
            text=" ".join(row[name] for name in columns.text),
            reference=row[columns.entry_id] if columns.entry_id else "",
        )
        yield keys.entry(found)
    if last is not None:
        yield Closing(columns.bank_account, last)


def _rows(body: bytes, columns: Columns, keys: Keys) -> Iterator[Mapping[str, str]]:
    """The rows by the names of their columns, each as long as the first one."""
    lines = io.TextIOWrapper(io.BytesIO(body), columns.encoding, newline="")
    reader = csv.reader(lines, delimiter=columns.delimiter, strict=True)
    try:
        header = [name.strip().removeprefix("\ufeff") for name in next(reader, [])]
        for name in sorted(columns.named()):
            if header.count(name) != 1:
                refuse(0, name, "the file does not have this column once")
        for row in reader:
            if not any(one.strip() for one in row):
                continue
            if len(row) != len(header):
                refuse(keys.place + 1, "row", f"has {len(row)} fields, and the first row {len(header)}")
            if max(map(len, row)) > LONGEST_FIELD:
                refuse(keys.place + 1, "row", "has a field that is too long")
            yield dict(zip(header, row, strict=True))
    except UnicodeDecodeError:
        refuse(keys.place + 1, "encoding", f"not {columns.encoding}")
    except csv.Error as error:
        refuse(keys.place + 1, "row", str(error))


def _money(place: int, row: Mapping[str, str], columns: Columns) -> tuple[str, bool]:
    """The amount without its sign, with a point; and whether money came in."""
    text = row[columns.amount].strip().replace("\u00a0", "").replace(" ", "")
    written = WRITTEN[columns.decimal_separator].fullmatch(text)
    if written is None:
        refuse(place, columns.amount, "not a number as the mapping says")
    minus, whole, fraction = written.groups()
    digits = f"{re.sub('[.,]', '', whole)}.{fraction}" if fraction else re.sub("[.,]", "", whole)
    if columns.sign is None:
        return digits, minus != "-"
    sign = row[columns.sign].strip()
    if sign not in columns.credit_signs + columns.debit_signs:
        refuse(place, columns.sign, "a sign that the mapping does not name")
    return digits, (sign in columns.credit_signs) != (minus == "-")


def _day(place: int, text: str, written: str) -> date:
    try:
        return datetime.strptime(text.strip(), written).date()  # noqa: DTZ007  a day has no zone
    except ValueError:
        refuse(place, "booking date", "not a date as the mapping says")
