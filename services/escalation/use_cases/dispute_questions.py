"""Questions: what is disputed too late, or was rejected before, reserves nothing by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from services.escalation.domain.disputes import DisputeWindow, QuestionCause
from services.escalation.repository import clock_queries, dispute_queries
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date


@dataclass(frozen=True, slots=True)
class LinesToDispute:
    """Lines of an invoice that a customer wants to dispute."""

    account_id: UUID
    invoice_id: UUID
    lines: Sequence[int]
    has_evidence: bool
    """Whether there is new evidence since one of them was rejected."""


async def find_question_cause(unit: Unit, wanted: LinesToDispute, window: DisputeWindow | None) -> QuestionCause | None:
    """Find why a dispute is a question. New evidence makes good that a line was rejected, not that it is too late."""
    if window is not None and window.is_window_over(await _find_today(unit, wanted.account_id, window.zone)):
        return "too_late"
    if wanted.has_evidence or not await dispute_queries.has_rejected_dispute(unit, wanted.invoice_id, wanted.lines):
        return None
    return "rejected_before"


async def _find_today(unit: Unit, account_id: UUID, zone: ZoneInfo) -> date:
    """Find the date in the zone of the legal entity of an account, else in this one, of the account."""
    calendar = await clock_queries.find_calendar_of_account(unit, account_id)
    return get_local_date(unit.now, zone if calendar is None else calendar.zone)
