"""Rules of being overdue: judged at local midnights, by what was due then and is due now."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.invoicing.receivables.domain.invoice_balances import Invoice
from shared.pure.calendar import find_local_instant, get_local_date

MIDNIGHT = time(0)


def get_next_local_midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """The first local midnight that is not before `now`."""
    today = find_local_instant(get_local_date(now, zone), MIDNIGHT, zone)
    return today if today >= now else find_local_instant(get_local_date(now, zone) + timedelta(days=1), MIDNIGHT, zone)


def get_last_local_midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """The last local midnight that is not after `now`."""
    return find_local_instant(get_local_date(now, zone), MIDNIGHT, zone)


def schedule_invoice_overdue_check(invoice: Invoice, now: datetime, zone: ZoneInfo) -> Invoice:
    """Say when being overdue is judged next: at local midnights after the due date, while something is due.

    A judgement that is pending (its sweep is late) stays, since it looks at that midnight's state. Once
    nothing is open the round ends: should the debt reopen, it becomes overdue anew. A bill run says it of all its new
    invoices at once, with SCHEDULE_INVOICE_OVERDUE_CHECK of `chunk_issuing_statements`.
    """
    if invoice.open_minor == 0:
        return replace(invoice, overdue_at=None, judge_at=None)
    if invoice.overdue_at is not None:
        return replace(invoice, judge_at=None)
    if invoice.judge_at is not None and invoice.judge_at <= now:
        return invoice
    first = find_local_instant(invoice.due_date + timedelta(days=1), MIDNIGHT, zone)
    return replace(invoice, judge_at=max(first, get_next_local_midnight(now, zone)) if invoice.due_minor else None)


def check_invoice_overdue(invoice: Invoice, due_at_midnight: int, now: datetime, zone: ZoneInfo) -> Invoice:
    """Judge the last midnight that has passed: overdue if something was due then and is due now as well."""
    midnight = get_last_local_midnight(now, zone)
    if due_at_midnight > 0 and invoice.due_minor > 0 and get_local_date(midnight, zone) > invoice.due_date:
        return replace(invoice, overdue_at=midnight, judge_at=None)
    tomorrow = find_local_instant(get_local_date(now, zone) + timedelta(days=1), MIDNIGHT, zone)
    return replace(invoice, judge_at=tomorrow if invoice.due_minor else None)
