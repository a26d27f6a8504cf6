"""Changes of the guard's limits: the one that waits for a second person, and those that were decided."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import select

from services.collections.domain.guard import LimitChangeState
from services.collections.tables import GuardLimitChangeRow
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound


async def has_requested_any_suspension(unit: Unit) -> bool:
    """Say whether a suspension was ever requested: until then nobody has lost anything by loose limits."""
    return bool(await unit.connection.fetchval("SELECT EXISTS (SELECT FROM suspensions)"))


async def get_guard_limit_change(unit: Unit, change_id: UUID) -> GuardLimitChangeRow:
    """Get a change as it is now. Raises NotFound."""
    row = await unit.session.get(GuardLimitChangeRow, change_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no change of the guard's limits {change_id}")
    return row


async def find_open_guard_change(unit: Unit) -> GuardLimitChangeRow | None:
    """Find the change that waits for a second person."""
    table: Any = GuardLimitChangeRow
    query = select(GuardLimitChangeRow).where(table.state == LimitChangeState.PROPOSED.value)
    return (await unit.session.exec(query)).first()


async def list_guard_limit_changes(unit: Unit, after: UUID | None, limit: int) -> Sequence[GuardLimitChangeRow]:
    """List changes in the order of their ids, after this one."""
    return await list_rows_after(unit, GuardLimitChangeRow, after, limit)


async def save_suspension_limit_change(unit: Unit, row: GuardLimitChangeRow) -> None:
    """Write a change, new or decided."""
    unit.session.add(row)
    await unit.session.flush()
