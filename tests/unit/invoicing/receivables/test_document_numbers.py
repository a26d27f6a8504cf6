"""Numbers of documents, and what took off the last of an invoice."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.invoicing.receivables.domain.closing_causes import find_invoice_closing_cause
from services.invoicing.receivables.domain.document_numbers import DocumentSeries, format_document_number
from services.invoicing.receivables.domain.invoice_balances import Invoice, InvoiceLine


@pytest.mark.parametrize(
    ("series", "place", "number"),
    [
        ("invoice", 42, "GS-DE-00000042"),
        ("credit_note", 42, "GS-DE-CN-00000042"),
        ("invoice", 123_456_789, "GS-DE-123456789"),
    ],
)
def test_a_number_has_its_series_and_eight_digits(series: DocumentSeries, place: int, number: str) -> None:
    assert format_document_number("GS-DE", series, place) == number


@pytest.mark.parametrize(
    ("paid", "credited", "written_off", "cause"),
    [
        (10, 0, 0, "payment"),
        (9, 1, 0, "payment"),  # a small balance is let go with it
        (0, 10, 0, "credit_note"),
        (0, 1, 9, "credit_note"),
        (0, 0, 10, "write_off"),
    ],
)
def test_what_closed_an_invoice(paid: int, credited: int, written_off: int, cause: str) -> None:
    """The line of 30 had 10 paid and 10 credited before."""
    line = InvoiceLine(1, None, 30, paid=10, credited=10)
    before = Invoice(UUID(int=1), UUID(int=2), "GS-1", "EUR", date(2026, 4, 1), (line,))
    changed = replace(line, paid=10 + paid, credited=10 + credited, written_off=written_off)
    assert find_invoice_closing_cause(before, before.replace_invoice_lines([changed])) == cause
