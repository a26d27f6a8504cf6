"""The lock of a dispute, its items, and how they are written: common to all that is done with one."""

from collections.abc import Awaitable, Sequence
from typing import Any
from uuid import UUID

from services.escalation.domain.disputes import DisputeItem
from services.escalation.repository import dispute_queries
from services.escalation.tables import DisputeRow
from shared.contracts.dispute_reservations import ReservedAmount
from shared.events.escalation import DisputedLine
from shared.persistence.database import Unit
from shared.pure.errors import Refusal, RetryLater
from shared.web.clients import RefusedByService

REFUSALS = (404, 409, 422)
"""Statuses by which invoicing refuses the dispute itself; any other one (of a token that expired) may pass."""

AMOUNT_REFUSED = "amount_refused"
"""The code by which invoicing refuses that more of a line is disputed than it is for."""
MAX_SHOWN_HOLDERS = 20
"""How many of the disputes that hold amounts of the same lines a refusal names."""


class DisputeAmendmentPending(Refusal):
    """Invoicing has not answered yet what is to be disputed instead; then the outcome can be decided."""

    code = "amendment_pending"


async def find_reservation_refusal(call: Awaitable[None]) -> str | None:
    """Send amounts to invoicing by this call; why it refuses them, or None. Raises RetryLater."""
    try:
        await call
    except RefusedByService as refused:
        if refused.status not in REFUSALS:
            raise RetryLater(str(refused)) from refused
        return f"{refused.code}: {refused.problem.get('detail')}"
    return None


async def list_reserving_disputes(
    unit: Unit, dispute_id: UUID, lines: Sequence[int], refusal: str | None
) -> list[dict[str, Any]]:
    """List the disputes, with their cases and lines, for which invoicing refuses to reserve more of lines."""
    if refusal is None or not refusal.startswith(AMOUNT_REFUSED):
        return []
    row = await dispute_queries.get_dispute(unit, dispute_id)
    rows = await dispute_queries.list_disputes_reserving_lines(unit, row, lines, MAX_SHOWN_HOLDERS)
    return [
        {"dispute_id": str(other["dispute_id"]), "case_id": str(other["case_id"]), "lines": other["lines"]}
        for other in rows
    ]


async def lock_dispute(unit: Unit, dispute_id: UUID) -> DisputeRow:
    """Lock the account of a dispute, and get the dispute as it is then. Raises NotFound."""
    await unit.lock_subjects((await dispute_queries.get_dispute(unit, dispute_id)).account_id)
    return await dispute_queries.get_dispute(unit, dispute_id)


async def check_no_pending_amendment(unit: Unit, row: DisputeRow) -> None:
    """Refuse to go on while invoicing has an amendment to answer. Raises DisputeAmendmentPending."""
    if await dispute_queries.find_pending_dispute_amendment(unit, row.id) is not None:
        raise DisputeAmendmentPending("other amounts are being reserved: decide once invoicing has answered")


def serialize_dispute_item(item: DisputeItem) -> dict[str, Any]:
    """Write an item of a dispute as it is stored; what is approved only once it is known."""
    written: dict[str, Any] = {"line": item.line, "amount_minor": item.amount_minor, "reason_code": item.reason_code}
    return written if item.approved_minor is None else written | {"approved_minor": item.approved_minor}


def list_dispute_items(row: DisputeRow) -> list[DisputeItem]:
    """List the items of a dispute."""
    return [DisputeItem(**({"reason_code": "other"} | line)) for line in row.lines]


def list_disputed_amounts(items: Sequence[DisputeItem]) -> list[ReservedAmount]:
    """List the disputed amounts by line, as invoicing reserves them."""
    return [ReservedAmount(line=item.line, amount_minor=item.amount_minor) for item in items]


def describe_dispute_in_events(row: DisputeRow) -> dict[str, Any]:
    """Write what every event about a dispute says."""
    return {
        "case_id": row.case_id,
        "account_id": row.account_id,
        "dispute_id": row.id,
        "invoice_id": row.invoice_id,
        "currency": row.currency,
        "lines": tuple(DisputedLine.model_validate(line) for line in row.lines),
    }
