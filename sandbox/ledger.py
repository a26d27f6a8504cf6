"""A receivables ledger: a CSV with one row for each invoice, read whole and checked before anything is done."""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from shared.pure.money import MAX_MINOR, parse_minor_units

CURRENCY = "USD"
COLUMNS = ("customerID", "invoiceNumber", "InvoiceDate", "DueDate", "InvoiceAmount", "Disputed", "SettledDate")


class LedgerRefused(Exception):
    """The file is no ledger; says which row (as a line of the file) and which column."""


@dataclass(frozen=True, slots=True)
class LedgerInvoice:
    """One row: an invoice that was issued, perhaps disputed, and settled in full."""

    customer: str
    number: str
    issued: date
    due: date
    amount_minor: int
    disputed: bool
    settled: date
    upheld: bool = False
    """Not in a file: the dispute is upheld, so that the invoice is credited and never paid."""


def read_ledger(path: Path) -> list[LedgerInvoice]:
    """The invoices of a ledger, by issue date and number. Raises LedgerRefused."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LedgerRefused(f"{path.name}: not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise LedgerRefused(f"{path}: cannot be read: {error.strerror}") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or [])]:
            raise LedgerRefused(f"{path.name}: row 1: column {', '.join(missing)} is missing")
        invoices = _invoices(path.name, reader)
    except csv.Error as error:
        raise LedgerRefused(f"{path.name}: row {reader.line_num}: not CSV: {error}") from error
    if not invoices:
        raise LedgerRefused(f"{path.name}: has no invoices")
    return sorted(invoices, key=lambda invoice: (invoice.issued, invoice.number))


def _invoices(name: str, reader: "csv.DictReader[str]") -> list[LedgerInvoice]:
    invoices, rows = [], dict[str, int]()
    for fields in reader:
        place = f"{name}: row {reader.line_num}"
        invoice = _invoice(place, fields)
        if invoice.number in rows:
            raise LedgerRefused(
                f"{place}: column invoiceNumber: {invoice.number} stands in row {rows[invoice.number]} too"
            )
        rows[invoice.number] = reader.line_num
        invoices.append(invoice)
    return invoices


def _invoice(place: str, row: dict[str, str | None]) -> LedgerInvoice:
    if None in row or any(row[name] is None for name in COLUMNS):
        raise LedgerRefused(f"{place}: has not as many fields as there are columns")
    fields = {name: (row[name] or "").strip() for name in COLUMNS}
    for name in ("customerID", "invoiceNumber"):
        if not fields[name] or len(fields[name]) > 60 or not fields[name].replace("-", "").isalnum():
            raise LedgerRefused(f"{place}: column {name}: {fields[name]!r} is no identifier")
    issued, due = _date(place, "InvoiceDate", fields), _date(place, "DueDate", fields)
    settled = _date(place, "SettledDate", fields)
    if due < issued:
        raise LedgerRefused(f"{place}: column DueDate: due before it is issued")
    if settled < issued:
        raise LedgerRefused(f"{place}: column SettledDate: settled before it is issued")
    if fields["Disputed"] not in ("Yes", "No"):
        raise LedgerRefused(f"{place}: column Disputed: {fields['Disputed']!r} is neither Yes nor No")
    amount = _amount(place, fields["InvoiceAmount"])
    disputed = fields["Disputed"] == "Yes"
    return LedgerInvoice(fields["customerID"], fields["invoiceNumber"], issued, due, amount, disputed, settled)


def _date(place: str, column: str, fields: dict[str, str]) -> date:
    try:
        day = datetime.strptime(fields[column], "%m/%d/%Y").date()  # noqa: DTZ007  # a date, no instant
    except ValueError as error:
        raise LedgerRefused(f"{place}: column {column}: {fields[column]!r} is no date (month/day/year)") from error
    if not date(1990, 1, 1) <= day <= date(2190, 1, 1):
        raise LedgerRefused(f"{place}: column {column}: {day} is not between 1990 and 2190")
    return day


def _amount(place: str, text: str) -> int:
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise LedgerRefused(f"{place}: column InvoiceAmount: {text!r} is no amount")
    try:
        amount = parse_minor_units(text, CURRENCY)
    except ValueError as error:
        raise LedgerRefused(f"{place}: column InvoiceAmount: {error}") from error
    if not 0 < amount <= MAX_MINOR:
        raise LedgerRefused(f"{place}: column InvoiceAmount: {text!r} is not above zero, or too large")
    return amount
