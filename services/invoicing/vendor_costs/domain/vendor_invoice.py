"""The rules of an invoice of the vendor's: when it is due, when we are warned, and that it is paid once.

The partner programme: we pay net 60, whether or not our customers pay us; who is more than 60 days late is
restricted. These dates are between the vendor and us, so they are in UTC and not in an account's zone.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import ClassVar

from shared.pure.errors import Refusal
from shared.pure.state_tables import transition

NET_DAYS = 60
WARN_DAYS = 7
"""How many days before its due date an invoice that is still to be paid raises an alarm, unless it says otherwise."""
EARLIEST_ZONE = timedelta(hours=14)
"""Where a date begins first (UTC+14)."""


class VendorInvoiceState(StrEnum):
    """Where a vendor invoice is."""

    RECEIVED = "received"
    PAID = "paid"


class VendorInvoiceRefused(Refusal):
    """The dates or amounts of a vendor invoice, or of its payment, do not fit one another."""

    code: ClassVar[str] = "vendor_invoice_refused"
    status: ClassVar[int] = 422


class VendorInvoiceAlreadyPaid(Refusal):
    """A vendor invoice is paid once."""

    code: ClassVar[str] = "already_paid"


VENDOR_INVOICE_ALLOWED: Mapping[VendorInvoiceState, frozenset[VendorInvoiceState]] = {
    VendorInvoiceState.RECEIVED: frozenset({VendorInvoiceState.PAID}),
    VendorInvoiceState.PAID: frozenset(),
}


def get_paid_vendor_state(state: VendorInvoiceState) -> VendorInvoiceState:
    """The state of a vendor invoice that we pay. Raises VendorInvoiceAlreadyPaid."""
    words = "the vendor invoice is paid"
    return transition(VENDOR_INVOICE_ALLOWED, state, VendorInvoiceState.PAID, VendorInvoiceAlreadyPaid, words)


def compute_vendor_due_date(invoice_date: date, stated_date: date | None) -> date:
    """The due date: the given one, else net 60. Raises VendorInvoiceRefused."""
    due = stated_date or invoice_date + timedelta(days=NET_DAYS)
    if due < invoice_date:
        raise VendorInvoiceRefused(f"due_date: {due} is before the invoice date {invoice_date}")
    return due


def compute_vendor_invoice_period(
    invoice_date: date, stated_period: tuple[date | None, date | None]
) -> tuple[date, date]:
    """The first day of the charges that an invoice is for, and the day after the last one; else the month before.

    Raises VendorInvoiceRefused.
    """
    starts, ends = stated_period
    if starts is None and ends is None:
        ends = invoice_date.replace(day=1)
        return (ends - timedelta(days=1)).replace(day=1), ends
    if starts is None or ends is None or ends <= starts:
        raise VendorInvoiceRefused("period_from, period_to: give both, the second after the first, or neither")
    return starts, ends


def compute_payment_warning_time(due: date, days_before: int) -> datetime:
    """The instant from which on an invoice that is still to be paid raises an alarm: 00:00 UTC of that day."""
    return datetime.combine(due - timedelta(days=days_before), time(0), UTC)


def check_vendor_payment(amount: int, total: int, paid_on: date, now: datetime) -> None:
    """We pay the total, or less if something is held back, and not in the future. Raises VendorInvoiceRefused."""
    if amount > total:
        raise VendorInvoiceRefused(f"amount_minor: {amount} is more than the total of {total}")
    if paid_on > (now + EARLIEST_ZONE).date():
        raise VendorInvoiceRefused(f"paid_on: {paid_on} is in the future")
