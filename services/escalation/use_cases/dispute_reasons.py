"""Reasons of disputes are data: what they are called, and whether they pause an invoice instead of crediting it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from services.escalation.domain.disputes import DisputeItem
from services.escalation.repository import dispute_queries
from services.escalation.tables import DisputeReasonRow
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal


class UnknownDisputeReason(Refusal):
    """There is no such reason, or it is used no more."""

    code = "unknown_reason"
    status = 422


class DisputeReasonsMixed(Refusal):
    """One dispute cannot both pause an invoice and contest it."""

    code = "reasons_mixed"
    status = 422


async def find_dispute_pause(unit: Unit, items: Sequence[DisputeItem]) -> timedelta | None:
    """Find how long the reasons of these items pause an invoice; None if they contest it.

    Raises UnknownDisputeReason, DisputeReasonsMixed.
    """
    reasons = {row.code: row for row in await dispute_queries.list_dispute_reasons(unit) if row.is_active}
    codes = {item.reason_code for item in items}
    if unknown := sorted(codes - reasons.keys()):
        raise UnknownDisputeReason(
            f"reason_code: there is no {', '.join(unknown)}; there are {', '.join(sorted(reasons))}"
        )
    days = {reasons[code].pause_days for code in codes}
    if None not in days:
        return timedelta(days=max(pause_days or 0 for pause_days in days))
    if len(days) > 1:
        raise DisputeReasonsMixed("lines: some reasons pause the invoice, others contest it: open two disputes")
    return None


async def put_dispute_reason(
    unit: Unit, code: str, titles: Mapping[str, str], pause_days: int | None, is_active: bool
) -> DisputeReasonRow:
    """Keep a reason of disputes, new or changed; running disputes stay as they are."""
    row = DisputeReasonRow(code=code, titles=dict(titles), pause_days=pause_days, is_active=is_active)
    before = await dispute_queries.put_dispute_reason_row(unit, row)
    unit.record(AuditedChange("dispute_reason", code, None, before, row.model_dump()))
    return row
