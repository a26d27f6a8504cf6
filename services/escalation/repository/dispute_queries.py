"""Disputes on lines of invoices."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from services.escalation.domain.disputes import UNDECIDED
from services.escalation.tables import DisputeRow
from shared.database import Unit
from shared.errors import NotFound
from shared.keyset import rows_after


async def get_dispute(unit: Unit, dispute_id: UUID) -> DisputeRow:
    """Get a dispute as it is in the database now. Raises NotFound."""
    row = await unit.session.get(DisputeRow, dispute_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no dispute {dispute_id}")
    return row


async def save_dispute(unit: Unit, row: DisputeRow) -> None:
    """Write a dispute, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def list_disputes(
    unit: Unit, account_id: UUID | None, state: str | None, after: UUID | None, limit: int
) -> Sequence[DisputeRow]:
    """List disputes in the order of their ids, after this one."""
    return await rows_after(unit, DisputeRow, after, limit, account_id=account_id, state=state)


async def list_undecided(unit: Unit, account_id: UUID, limit: int) -> Sequence[DisputeRow]:
    """List the disputes of an account whose outcome is not known, the newest first."""
    query = select(DisputeRow).where(DisputeRow.account_id == account_id, col(DisputeRow.state).in_(UNDECIDED))
    return (await unit.session.exec(query.order_by(col(DisputeRow.id).desc()).limit(limit))).all()


async def save_credit_note(unit: Unit, dispute_id: UUID, credit_note_id: UUID) -> None:
    """Note which credit note an upheld dispute gave."""
    await unit.connection.execute("UPDATE disputes SET credit_note_id = $2 WHERE id = $1", dispute_id, credit_note_id)
