"""Direct debits."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import select

from services.invoicing.tables import DebitRow
from shared.database import Unit
from shared.errors import NotFound
from shared.keyset import rows_after


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
    return await rows_after(unit, DebitRow, after, limit, state=state, account_id=account_id)


async def save(unit: Unit, row: DebitRow) -> None:
    """Write a debit, new or changed."""
    unit.session.add(row)
    await unit.session.flush()
