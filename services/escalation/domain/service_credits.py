"""Service credits: until when the vendor takes a request, what it wants to see, and how a request ends.

Periods and evidence are the vendor's, and data; see the types of service credits.
"""

from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from services.escalation.domain.deadlines import compute_deadline_lapse
from shared.pure.errors import Refusal

WRITTEN_CLAIM = "written_claim"
"""The evidence that is the customer's own letter: it goes to the vendor as the customer wrote it."""
LEAD = timedelta(days=7)
"""How long before the end of its last day a request that was not made is warned of."""


class ServiceCreditState(StrEnum):
    """Where a request for a credit is."""

    DRAFT = "draft"
    """Its evidence is being gathered; the vendor was not asked yet."""
    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"
    LAPSED = "lapsed"
    """Nobody asked the vendor in time."""
    WITHDRAWN = "withdrawn"


SERVICE_CREDIT_ALLOWED: Mapping[ServiceCreditState, frozenset[ServiceCreditState]] = {
    ServiceCreditState.DRAFT: frozenset(
        {ServiceCreditState.REQUESTED, ServiceCreditState.LAPSED, ServiceCreditState.WITHDRAWN}
    ),
    ServiceCreditState.REQUESTED: frozenset(
        {ServiceCreditState.GRANTED, ServiceCreditState.REFUSED, ServiceCreditState.WITHDRAWN}
    ),
    ServiceCreditState.GRANTED: frozenset(),
    ServiceCreditState.REFUSED: frozenset(),
    ServiceCreditState.LAPSED: frozenset(),
    ServiceCreditState.WITHDRAWN: frozenset(),
}


class CreditEvidenceMissing(Refusal):
    """The vendor wants to see more than there is; `missing` lists it."""

    code: ClassVar[str] = "evidence_missing"


class TooLateForVendor(Refusal):
    """The last day on which the vendor takes this request is over."""

    code: ClassVar[str] = "too_late_for_vendor"


@dataclass(frozen=True, slots=True)
class CreditRequestPeriod:
    """A time in which the vendor takes a request: days from a day on, or months after the month of that day."""

    days: int | None = None
    months: int | None = None

    def compute_last_request_day(self, since: date) -> date | None:
        """Compute the last day, inclusive; None where requests have no end."""
        if self.days is not None:
            return since + timedelta(days=self.days)
        if self.months is None:
            return None
        year, month = divmod(since.year * 12 + since.month - 1 + self.months, 12)
        return date(year, month + 1, monthrange(year, month + 1)[1])


def check_credit_request(
    last_day: date | None, wanted: Sequence[str], evidence: Collection[str], now: datetime
) -> None:
    """Check that the vendor can be asked. Raises CreditEvidenceMissing, TooLateForVendor."""
    if last_day is not None and now >= compute_deadline_lapse(last_day):
        raise TooLateForVendor(f"the vendor took this request until {last_day}")
    if missing := [code for code in wanted if code not in evidence]:
        raise CreditEvidenceMissing(f"the vendor wants {', '.join(missing)} too", missing=missing)
