"""Disputes."""

from collections.abc import Sequence
from uuid import UUID

from services.escalation.tables import DisputeRow
from shared.database import Unit
from shared.errors import NotFound
from shared.keyset import rows_after


async def dispute(unit: Unit, dispute_id: UUID) -> DisputeRow:
    """The dispute, as it is in the database now. Raises NotFound."""
    row = await unit.session.get(DisputeRow, dispute_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no dispute {dispute_id}")
    return row


async def add(unit: Unit, row: DisputeRow) -> None:
    """Write a requested dispute."""
    unit.session.add(row)
    await unit.session.flush()


async def disputes_after(
    unit: Unit, account_id: UUID | None, state: str | None, after: UUID | None, limit: int
) -> Sequence[DisputeRow]:
    """Disputes in the order of their ids, filtered."""
    return await rows_after(unit, DisputeRow, after, limit, account_id=account_id, state=state)


async def save_credit_note(unit: Unit, dispute_id: UUID, credit_note_id: UUID) -> None:
    """Note which credit note an upheld dispute gave."""
    await unit.connection.execute("UPDATE disputes SET credit_note_id = $2 WHERE id = $1", dispute_id, credit_note_id)
