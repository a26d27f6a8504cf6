"""Sums of statements of account by age, and of documents by tax rate."""

from datetime import date

from services.invoicing.documents.domain.account_statement import (
    AccountStatementInCurrency,
    AccountStatementOpenInvoice,
)
from services.invoicing.documents.domain.paper import DocumentLine, DocumentTaxSum, sum_tax_by_rate


def list_open(*dues: tuple[date, int]) -> tuple[AccountStatementOpenInvoice, ...]:
    """List open invoices by their due dates and what is open of them (minor units)."""
    issued_on = date(2026, 1, 1)
    return tuple(
        AccountStatementOpenInvoice(str(number), issued_on, due_on, "EUR", 1_000, open_minor)
        for number, (due_on, open_minor) in enumerate(dues)
    )


def test_what_is_open_is_summed_by_days_past_due() -> None:
    items = list_open(
        (date(2026, 6, 30), 1),
        (date(2026, 6, 29), 20),
        (date(2026, 5, 31), 300),
        (date(2026, 5, 30), 4_000),
        (date(2026, 4, 1), 50_000),
        (date(2026, 3, 31), 600_000),
        (date(2026, 7, 30), 7),
    )
    statement = AccountStatementInCurrency("EUR", 0, (), 0, items)
    assert statement.sum_statement_ageing_buckets(date(2026, 6, 30)) == {
        "current": 8,
        "1-30": 320,
        "31-60": 4_000,
        "61-90": 50_000,
        "90+": 600_000,
    }
    assert set(
        AccountStatementInCurrency("EUR", 0, (), 0, ()).sum_statement_ageing_buckets(date(2026, 6, 30)).values()
    ) == {0}


def test_tax_is_summed_by_rate_the_lowest_first_and_of_several_rates_last() -> None:
    lines = [
        DocumentLine(1, "Office", 100, 19, 1_900, None),
        DocumentLine(2, "Both", 50, 5, None, None),
        DocumentLine(3, "Books", 100, 0, 0, None),
        DocumentLine(4, "Mail", 10, 2, 1_900, None),
        DocumentLine(5, "By hand", 10, 0, None, None),
        DocumentLine(6, "Tiny", 100, 0, 1, None),
    ]
    assert sum_tax_by_rate(lines) == [
        DocumentTaxSum(0, 100, 0),
        DocumentTaxSum(1, 100, 0),
        DocumentTaxSum(1_900, 110, 21),
        DocumentTaxSum(None, 50, 5),
    ]
