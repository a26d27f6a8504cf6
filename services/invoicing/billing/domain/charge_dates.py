"""Dates of invoices that are drawn up: when they are due, and when what they charge is supplied. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ChargePeriods:
    """The dates of a charge, periods with their end exclusive; `is_deferred` if it is billed in advance."""

    kind: str
    is_deferred: bool
    period_from: date
    period_to: date
    due_on: date
    cycle_from: date


def compute_invoice_due_date(day: date, terms_days: int) -> date:
    """Compute when an invoice is due that is drawn up on a local day, by the terms of its account.

    `repository.chunk_drafting_statements.COMPUTE_INVOICE_DUE_DATE` does it for a chunk of invoices.
    """
    return day + timedelta(days=terms_days)


def find_supply_day(charge: ChargePeriods, reversed_charge: ChargePeriods | None = None) -> date:
    """Find the day whose tax rate a charge has: the first day of what is billed in advance, the last of what is not.

    A reversal has the day of the charge that it takes back, or of the cycle's begin if none is there.

    `repository.chunk_drafting_statements.FIND_SUPPLY_DAY` does it for a chunk of invoices.
    """
    if charge.kind == "reversal":
        return charge.cycle_from if reversed_charge is None else find_supply_day(reversed_charge)
    if charge.is_deferred:
        return charge.period_from
    return charge.due_on if charge.kind == "setup" else charge.period_to - ONE_DAY
