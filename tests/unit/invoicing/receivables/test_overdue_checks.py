"""When being overdue is judged, and how, by examples: an invoice that is due on 10 March 2026 in Berlin."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.invoicing.receivables.domain.invoice_balances import Invoice, InvoiceLine
from services.invoicing.receivables.domain.overdue_rules import check_invoice_overdue, schedule_invoice_overdue_check

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def midnight(day: int) -> datetime:
    """The instant at which a day of March begins in Berlin, an hour before it does in UTC."""
    return datetime(2026, 3, day - 1, 23, tzinfo=UTC)


def build_invoice(open_minor: int, *, reserved: int = 0, judge_at: datetime | None = None) -> Invoice:
    line = InvoiceLine(1, None, 10, paid=10 - open_minor, reserved=reserved)
    return Invoice(UUID(int=1), UUID(int=2), "GS-1", "EUR", date(2026, 3, 10), (line,), judge_at=judge_at)


@pytest.mark.parametrize("now", [midnight(11), midnight(11) + MINUTE, midnight(12) - MINUTE])
def test_it_is_overdue_since_the_midnight_at_which_it_was_due(now: datetime) -> None:
    invoice = build_invoice(1, judge_at=midnight(11))
    assert check_invoice_overdue(invoice, 1, now, BERLIN) == replace(invoice, overdue_at=midnight(11), judge_at=None)


@pytest.mark.parametrize("now", [midnight(11), midnight(12) - MINUTE])
def test_what_was_not_due_then_is_judged_at_the_next_midnight(now: datetime) -> None:
    invoice = build_invoice(10, judge_at=midnight(11))
    assert check_invoice_overdue(invoice, 0, now, BERLIN) == replace(invoice, judge_at=midnight(12))


def test_what_is_not_due_now_is_not_judged() -> None:
    for invoice in (build_invoice(0, judge_at=midnight(11)), build_invoice(5, reserved=5, judge_at=midnight(11))):
        assert check_invoice_overdue(invoice, 5, midnight(11), BERLIN) == replace(invoice, judge_at=None)


def test_the_day_on_which_it_is_due_is_not_late() -> None:
    invoice = build_invoice(10)
    assert check_invoice_overdue(invoice, 10, midnight(10), BERLIN) == replace(invoice, judge_at=midnight(11))


def test_it_is_judged_first_at_the_midnight_after_it_is_due() -> None:
    invoice = build_invoice(1)
    for now, judged_at in ((midnight(2), 11), (midnight(11), 11), (midnight(11) + MINUTE, 12), (midnight(20), 20)):
        planned = schedule_invoice_overdue_check(invoice, now, BERLIN)
        assert planned == replace(invoice, judge_at=midnight(judged_at))


def test_a_judgement_that_is_pending_stays() -> None:
    pending = build_invoice(10, judge_at=midnight(11))
    assert schedule_invoice_overdue_check(pending, midnight(11), BERLIN) == pending
    assert schedule_invoice_overdue_check(pending, midnight(14), BERLIN) == pending
    early = build_invoice(10, judge_at=midnight(15))
    assert schedule_invoice_overdue_check(early, midnight(12), BERLIN).judge_at == midnight(12)


def test_the_round_ends_when_nothing_is_open() -> None:
    paid = replace(build_invoice(0, judge_at=midnight(15)), overdue_at=midnight(11))
    assert schedule_invoice_overdue_check(paid, midnight(14), BERLIN) == build_invoice(0)


def test_what_is_overdue_or_not_due_is_not_judged_again() -> None:
    overdue = replace(build_invoice(10, judge_at=midnight(15)), overdue_at=midnight(11))
    assert schedule_invoice_overdue_check(overdue, midnight(14), BERLIN) == replace(overdue, judge_at=None)
    disputed = build_invoice(5, reserved=5, judge_at=midnight(15))
    assert schedule_invoice_overdue_check(disputed, midnight(14), BERLIN) == replace(disputed, judge_at=None)
