"""Direct debits."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from services.invoicing.tables import DebitRow
from shared.database import Unit
from shared.errors import NotFound


async def debit(unit: Unit, debit_id: UUID) -> DebitRow:
    """The debit as it is now. Raises NotFound."""
    row = await unit.session.get(DebitRow, debit_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no debit {debit_id}")
    return row


async def reference_taken(unit: Unit, account_id: UUID, reference: str) -> bool:
    """Whether the account has a debit with this reference."""
    query = select(DebitRow.id).where(DebitRow.account_id == account_id, DebitRow.reference == reference)
    return (await unit.session.exec(query)).first() is not None


async def page(
    unit: Unit, state: str | None, account_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[DebitRow]:
    """Debits in the order of their ids."""
    query = select(DebitRow).order_by(col(DebitRow.id)).limit(limit)
    if state is not None:
        query = query.where(DebitRow.state == state)
    if account_id is not None:
        query = query.where(DebitRow.account_id == account_id)
    if after is not None:
        query = query.where(col(DebitRow.id) > after)
    return (await unit.session.exec(query)).all()


async def save(unit: Unit, row: DebitRow) -> None:
    """Write a debit, new or changed."""
    unit.session.add(row)
    await unit.session.flush()
