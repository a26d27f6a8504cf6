"""Disputes on lines of invoices, their amendments and their reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import col, func, select

from services.escalation.domain.cases import UNRESOLVED
from services.escalation.domain.disputes import UNDECIDED
from services.escalation.tables import CaseRow, DisputeAmendmentRow, DisputeReasonRow, DisputeRow
from shared.persistence.coded_lists import list_coded_rows, put_coded_row
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound


@dataclass(frozen=True, slots=True)
class DisputeFilter:
    """Filter of a list of disputes; None lets anything through."""

    account_id: UUID | None = None
    invoice_id: UUID | None = None
    state: str | None = None
    has_unresolved_case: bool | None = None
    """A merged case counts by the case that goes on."""


async def get_dispute(unit: Unit, dispute_id: UUID) -> DisputeRow:
    """Get a dispute as it is in the database now. Raises NotFound."""
    row = await unit.session.get(DisputeRow, dispute_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no dispute {dispute_id}")
    return row


async def find_disputed_invoice(unit: Unit, account_id: UUID, case_id: UUID) -> UUID | None:
    """Find the invoice whose dispute a case is about; None where it is about none."""
    query = "SELECT invoice_id FROM disputes WHERE account_id = $1 AND case_id = $2 LIMIT 1"
    invoice_id: UUID | None = await unit.connection.fetchval(query, account_id, case_id)
    return invoice_id


async def save_dispute(unit: Unit, row: DisputeRow) -> None:
    """Write a dispute, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def list_disputes(unit: Unit, wanted: DisputeFilter, after: UUID | None, limit: int) -> Sequence[DisputeRow]:
    """List disputes in the order of their ids, after this one."""
    conditions = []
    if wanted.has_unresolved_case is not None:
        case, ongoing = aliased(CaseRow), aliased(CaseRow)
        is_unresolved = (
            select(case.id)
            .join(ongoing, col(ongoing.id) == func.coalesce(case.merged_into, case.id))
            .where(case.id == DisputeRow.case_id, col(ongoing.state).in_(UNRESOLVED))
            .exists()
        )
        conditions.append(is_unresolved if wanted.has_unresolved_case else ~is_unresolved)
    only = {"account_id": wanted.account_id, "invoice_id": wanted.invoice_id, "state": wanted.state}
    return await list_rows_after(unit, DisputeRow, after, limit, *conditions, **only)


async def list_undecided_disputes(unit: Unit, account_id: UUID, limit: int) -> Sequence[DisputeRow]:
    """List the disputes of an account whose outcome is not known, the newest first."""
    query = select(DisputeRow).where(DisputeRow.account_id == account_id, col(DisputeRow.state).in_(UNDECIDED))
    return (await unit.session.exec(query.order_by(col(DisputeRow.id).desc()).limit(limit))).all()


async def list_ended_dispute_pauses(unit: Unit, account_ids: Sequence[UUID], until: datetime) -> Sequence[DisputeRow]:
    """List the undecided disputes of accounts whose pause has ended by an instant."""
    query = select(DisputeRow).where(
        col(DisputeRow.paused_until) <= until,
        col(DisputeRow.ended_at).is_(None),
        col(DisputeRow.account_id).in_(account_ids),
    )
    return (await unit.session.exec(query.order_by(col(DisputeRow.id)))).all()


_REJECTED = """
SELECT EXISTS (
    SELECT FROM disputes d, jsonb_array_elements(d.lines) AS line
    WHERE d.invoice_id = $1 AND d.state IN ('rejected', 'partly_upheld')
        AND coalesce((line ->> 'approved_minor')::bigint, 0) = 0 AND (line ->> 'line')::int = ANY ($2::int[])
)
"""


async def has_rejected_dispute(unit: Unit, invoice_id: UUID, lines: Sequence[int]) -> bool:
    """Say whether a dispute on one of these lines was decided before, and nothing approved of the line."""
    return bool(await unit.connection.fetchval(_REJECTED, invoice_id, lines))


_HOLDING = """
SELECT d.id AS dispute_id, d.case_id, array_agg(DISTINCT (line ->> 'line')::int) AS lines
FROM disputes d, jsonb_array_elements(d.lines) AS line
WHERE d.invoice_id = $1 AND d.id <> $2 AND d.state = ANY ($4::text[]) AND (line ->> 'line')::int = ANY ($3::int[])
GROUP BY d.id, d.case_id ORDER BY d.id LIMIT $5
"""


async def list_disputes_reserving_lines(
    unit: Unit, row: DisputeRow, lines: Sequence[int], limit: int
) -> Sequence[Mapping[str, Any]]:
    """List the other disputes of an invoice that hold amounts of these lines, the oldest first."""
    rows: Sequence[Mapping[str, Any]] = await unit.connection.fetch(
        _HOLDING, row.invoice_id, row.id, lines, sorted(UNDECIDED), limit
    )
    return rows


async def save_dispute_credit_note(unit: Unit, dispute_id: UUID, credit_note_id: UUID, number: str) -> UUID | None:
    """Note which credit note an upheld dispute gave; its case, None if there is no such dispute."""
    case_id: UUID | None = await unit.connection.fetchval(
        "UPDATE disputes SET credit_note_id = $2, credit_note_number = $3 WHERE id = $1 RETURNING case_id",
        dispute_id,
        credit_note_id,
        number,
    )
    return case_id


async def find_pending_dispute_amendment(unit: Unit, dispute_id: UUID) -> DisputeAmendmentRow | None:
    """Find the amendment of a dispute that invoicing has not answered yet."""
    query = select(DisputeAmendmentRow).where(
        DisputeAmendmentRow.dispute_id == dispute_id, DisputeAmendmentRow.state == "requested"
    )
    return (await unit.session.exec(query)).first()


async def get_dispute_amendment(unit: Unit, dispute_id: UUID, number: int) -> DisputeAmendmentRow:
    """Get an amendment of a dispute as it is in the database now. Raises NotFound."""
    row = await unit.session.get(DisputeAmendmentRow, (dispute_id, number), populate_existing=True)
    if row is None:
        raise NotFound(f"dispute {dispute_id} has no amendment {number}")
    return row


async def list_dispute_amendments(unit: Unit, dispute_id: UUID) -> Sequence[DisputeAmendmentRow]:
    """List the amendments of a dispute in their order; a dispute has few."""
    query = select(DisputeAmendmentRow).where(DisputeAmendmentRow.dispute_id == dispute_id)
    return (await unit.session.exec(query.order_by(col(DisputeAmendmentRow.number)))).all()


async def get_last_amendment_number(unit: Unit, dispute_id: UUID) -> int:
    """Get the number of the last amendment of a dispute; 0 if there is none."""
    query = "SELECT coalesce(max(number), 0) FROM dispute_amendments WHERE dispute_id = $1"
    number: int = await unit.connection.fetchval(query, dispute_id)
    return number


async def save_dispute_amendment(unit: Unit, row: DisputeAmendmentRow) -> None:
    """Write an amendment, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def list_dispute_reasons(unit: Unit) -> Sequence[DisputeReasonRow]:
    """List the reasons of disputes by their codes."""
    return await list_coded_rows(unit, DisputeReasonRow)


async def put_dispute_reason_row(unit: Unit, row: DisputeReasonRow) -> dict[str, Any] | None:
    """Write a reason of disputes, new or changed; return the values of the one that it replaces."""
    return await put_coded_row(unit, row)
