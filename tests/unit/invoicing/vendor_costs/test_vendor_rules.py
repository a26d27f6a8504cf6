"""The rules of the vendor's invoices and of what a reconciliation comes to."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.files.domain.broken_lines import (
    BrokenFileLine,
    UploadedFileLinesBroken,
    refuse_broken_file_lines,
)
from services.invoicing.vendor_costs.domain import line_verdicts, vendor_invoice
from services.invoicing.vendor_costs.domain.line_verdicts import ReconciliationStatus, ReconciliationVerdictSum, Verdict
from services.invoicing.vendor_costs.domain.vendor_invoice import VendorInvoiceRefused, VendorInvoiceState
from shared.pure.money import Money

NOW = datetime(2026, 4, 9, 12, tzinfo=UTC)


def of(*verdicts: Verdict) -> list[ReconciliationVerdictSum]:
    return [ReconciliationVerdictSum(verdict, 1, 1, 0, 0) for verdict in verdicts]


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([], ReconciliationStatus.NOT_COMPARED),
        ([Verdict.MATCHED], ReconciliationStatus.CLEAN),
        ([Verdict.WITHIN_TOLERANCE], ReconciliationStatus.CLEAN),
        ([Verdict.NOT_COMPARABLE], ReconciliationStatus.NOT_COMPARED),
        ([Verdict.NO_CUSTOMER, Verdict.MISSING_AT_VENDOR, Verdict.MISSING_WITH_US], ReconciliationStatus.NOT_COMPARED),
        ([Verdict.PRICE_DIFFERENCE], ReconciliationStatus.DIFFERENCES),
        *[
            ([Verdict.MATCHED, verdict], ReconciliationStatus.DIFFERENCES)
            for verdict in Verdict
            if verdict not in ("matched", "within_tolerance")
        ],
    ],
)
def test_clean_is_what_was_compared_and_has_nothing_else(verdicts: list[Verdict], status: ReconciliationStatus) -> None:
    assert line_verdicts.get_reconciliation_status(of(*verdicts)) is status
    assert (
        line_verdicts.get_reconciliation_status(
            [*of(*verdicts), ReconciliationVerdictSum(Verdict.NO_CUSTOMER, 0, 0, 0, 0)]
        )
        is status
    )


@pytest.mark.parametrize(("lines", "tolerance"), [(0, 1), (1, 1), (3, 1), (4, 2), (99, 9), (1_000_000, 1000)])
def test_a_file_adds_up_to_its_invoice_within_the_root_of_its_lines(lines: int, tolerance: int) -> None:
    invoice = Money(50_000, "EUR"), Money(8000, "EUR")
    for sign in (1, -1):
        for by in ((tolerance, 0), (0, tolerance)):
            edge = tuple(Money(money.minor + sign * more, "EUR") for money, more in zip(invoice, by, strict=True))
            line_verdicts.check_vendor_file_sums(lines, (edge[0], edge[1]), invoice)
            over = tuple(
                Money(money.minor + sign * (more and more + 1), "EUR") for money, more in zip(invoice, by, strict=True)
            )
            with pytest.raises(line_verdicts.VendorFileSumsRefused) as refusal:
                line_verdicts.check_vendor_file_sums(lines, (over[0], over[1]), invoice)
            place = 0 if by[0] else 1
            sums = {"file_minor": over[place].minor, "invoice_minor": invoice[place].minor, "currency": "EUR"}
            assert refusal.value.more == sums
            assert ("total", "tax")[place] in refusal.value.detail


def test_the_tolerance_of_a_unit_is_a_hundredth_of_the_currency() -> None:
    tolerance_by_currency = {
        currency: line_verdicts.compute_vendor_unit_tolerance(currency)
        for currency in ("EUR", "USD", "JPY", "KWD", "RSD", "IQD")
    }
    assert tolerance_by_currency == {"EUR": 1, "USD": 1, "JPY": Decimal("0.01"), "KWD": 10, "RSD": 1, "IQD": 10}


def test_broken_lines_are_named() -> None:
    refuse_broken_file_lines([])
    with pytest.raises(UploadedFileLinesBroken) as refusal:
        refuse_broken_file_lines([BrokenFileLine(7, "Total", "is empty"), BrokenFileLine(9, None, "is not UTF-8")])
    assert refusal.value.more["errors"] == [
        {"field": "line.7.Total", "message": "is empty"},
        {"field": "line.9", "message": "is not UTF-8"},
    ]


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict not in line_verdicts.CLEAN])
def test_every_difference_has_a_cause(verdict: Verdict) -> None:
    said = line_verdicts.describe_difference_cause(
        verdict, Money(10080, "EUR"), Money(9072, "EUR"), (Decimal("1E+1"), Decimal("9.00"))
    )
    assert "{" not in said
    if verdict is Verdict.QUANTITY_DIFFERENCE:
        assert said == "the vendor bills 10 units, and we expected 9"
    if verdict is Verdict.PRICE_DIFFERENCE:
        assert said.endswith("€100.80 instead of €90.72")


@given(st.dates(date(1990, 1, 1), date(2200, 1, 1)))
def test_an_invoice_is_net_60_and_for_the_month_before(day: date) -> None:
    assert (vendor_invoice.compute_vendor_due_date(day, None) - day).days == 60
    starts, ends = vendor_invoice.compute_vendor_invoice_period(day, (None, None))
    assert (starts.day, ends.day, (ends.year, ends.month)) == (1, 1, (day.year, day.month))
    assert (starts.month % 12 + 1, starts.year + (starts.month == 12)) == (ends.month, ends.year)


def test_dates_that_do_not_fit_are_refused() -> None:
    first, last = date(2026, 3, 1), date(2026, 4, 1)
    assert vendor_invoice.compute_vendor_invoice_period(last, (first, last)) == (first, last)
    assert vendor_invoice.compute_vendor_due_date(first, first) == first
    for given_dates in ((first, None), (None, last), (last, first), (first, first)):
        with pytest.raises(VendorInvoiceRefused):
            vendor_invoice.compute_vendor_invoice_period(last, given_dates)
    with pytest.raises(VendorInvoiceRefused):
        vendor_invoice.compute_vendor_due_date(last, first)


def test_we_are_warned_at_midnight_utc_of_the_day() -> None:
    assert vendor_invoice.compute_payment_warning_time(date(2026, 6, 7), 7) == datetime(2026, 5, 31, tzinfo=UTC)
    assert vendor_invoice.compute_payment_warning_time(date(2026, 6, 7), 0) == datetime(2026, 6, 7, tzinfo=UTC)


def test_we_pay_once_not_too_much_and_not_in_the_future() -> None:
    assert vendor_invoice.get_paid_vendor_state(VendorInvoiceState.RECEIVED) is VendorInvoiceState.PAID
    with pytest.raises(vendor_invoice.VendorInvoiceAlreadyPaid):
        vendor_invoice.get_paid_vendor_state(VendorInvoiceState.PAID)
    vendor_invoice.check_vendor_payment(100, 100, date(2026, 4, 10), NOW)  # it is the 10th already where days begin
    for amount, day in ((101, date(2026, 4, 9)), (100, date(2026, 4, 11))):
        with pytest.raises(VendorInvoiceRefused):
            vendor_invoice.check_vendor_payment(amount, 100, day, NOW)
