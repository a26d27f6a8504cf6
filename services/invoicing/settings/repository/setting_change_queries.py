"""Changes of settings: those that wait for a second person, and those that were decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlmodel import select

from services.invoicing.settings.domain.approval_states import ApprovalState
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.tables import SettingChangeRow
from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query
from shared.pure.errors import NotFound

_CHANGES = """
SELECT id, kind, key, legal_entity, former, wanted, reason, state, proposed_by, proposed_at, decided_by,
    decision_reason, decided_at
FROM setting_changes
"""


@dataclass(frozen=True, slots=True)
class SettingChangeCriteria:
    """Criteria of the changes that are wanted; None is any."""

    kind: str | None = None
    state: str | None = None
    legal_entity: str | None = None


def build_setting_change_search(
    criteria: SettingChangeCriteria, after: UUID | None, limit: int
) -> tuple[str, list[Any]]:
    """Build the query of a page in the order of ids, and its arguments."""
    conditions = (
        ("kind = {}", criteria.kind),
        ("state = {}", criteria.state),
        ("legal_entity = {}", criteria.legal_entity),
        ("id > {}", after),
    )
    return build_list_query(_CHANGES, conditions, "id", limit)


async def search_setting_changes(
    unit: Unit, criteria: SettingChangeCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Find changes in the order of their ids, after this one."""
    query, arguments = build_setting_change_search(criteria, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def get_setting_change_row(unit: Unit, change_id: UUID) -> SettingChangeRow:
    """Get a change as it is now. Raises NotFound."""
    row = await unit.session.get(SettingChangeRow, change_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no change of a setting {change_id}")
    return row


async def find_pending_setting_row(unit: Unit, kind: SettingKind, key: str) -> SettingChangeRow | None:
    """Find the change of a setting that waits for a second person."""
    return next(iter(await list_pending_setting_rows(unit, kind, [key])), None)


async def list_pending_setting_rows(
    unit: Unit, kind: SettingKind, keys: Sequence[str] | None = None
) -> list[SettingChangeRow]:
    """List the changes of a kind that wait for a second person, in the order of their keys; of these keys only."""
    table: Any = SettingChangeRow
    query = select(SettingChangeRow).where(table.kind == kind.value, table.state == ApprovalState.PROPOSED.value)
    if keys is not None:
        query = query.where(table.key.in_(keys))
    return list((await unit.session.exec(query.order_by(table.key))).all())


async def save_setting_change(unit: Unit, row: SettingChangeRow) -> None:
    """Write a change, new or decided."""
    unit.session.add(row)
    await unit.session.flush()
