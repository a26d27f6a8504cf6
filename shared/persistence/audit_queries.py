"""Queries of the audit: its entries in the order of their time, by what they are asked for."""

from collections.abc import Collection, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.persistence.database import Unit
from shared.pure.errors import NotFound, Refusal


class UnknownAuditCursor(Refusal):
    """The cursor names no entry of this list."""

    code = "bad_cursor"
    status = 422


class UnknownAuditAction(Refusal):
    """No route of the service does this, and no entry has it."""

    code = "unknown_action"
    status = 422


async def check_audit_action(unit: Unit, action: str | None, actions: Set[str]) -> None:
    """Refuse an action that is neither one of `actions` nor of an entry. Raises UnknownAuditAction."""
    if action is None or action in actions or await unit.connection.fetchval(_HAS_ACTION, action):
        return
    raise UnknownAuditAction(f"action: nothing does {action}; there are {', '.join(sorted(actions))}")


_HAS_ACTION = "SELECT EXISTS (SELECT FROM audit_entries WHERE action = $1)"


@dataclass(frozen=True, slots=True)
class AuditCriteria:
    """Criteria of the entries that are wanted; None is any. `since` is inclusive, `until` exclusive."""

    account_id: UUID | None = None
    actor: str | None = None
    action: str | None = None
    object_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def list_conditions(self) -> list[tuple[str, Any]]:
        """List what is said, each as a comparison with one value."""
        compared = (
            ("account_id =", self.account_id),
            ("actor =", self.actor),
            ("action =", self.action),
            ("object_id =", self.object_id),
            ("occurred_at >=", self.since),
            ("occurred_at <", self.until),
        )
        return [(comparison, value) for comparison, value in compared if value is not None]


_COLUMNS = "id, occurred_at, actor, action, account_id, object_type, object_id, cause_id, before, after, personal"
_OCCURRED_AT = "SELECT occurred_at FROM audit_entries WHERE id = $1"


def build_audit_query(criteria: AuditCriteria, last: tuple[datetime, UUID] | None, limit: int) -> tuple[str, list[Any]]:
    """Build the query of a page, the entries after `last`, and its arguments.

    It names only what is asked for: a condition that may be switched off is served by no index.
    """
    conditions = criteria.list_conditions()
    clauses = [f"{comparison} ${place}" for place, (comparison, _) in enumerate(conditions, 1)]
    arguments = [value for _, value in conditions]
    if last is not None:
        clauses.append(f"(occurred_at, id) > (${len(arguments) + 1}, ${len(arguments) + 2})")
        arguments += last
    where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    query = f"SELECT {_COLUMNS} FROM audit_entries {where}ORDER BY occurred_at, id LIMIT ${len(arguments) + 1}"
    return query, [*arguments, limit]


async def get_audit_entry(unit: Unit, entry_id: UUID) -> asyncpg.Record:
    """Get one entry. Raises NotFound."""
    row = await unit.connection.fetchrow(f"SELECT {_COLUMNS} FROM audit_entries WHERE id = $1", entry_id)
    if row is None:
        raise NotFound(f"there is no audit entry {entry_id}")
    return row


async def list_audit_entries(
    unit: Unit, criteria: AuditCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """List entries, oldest first, after the one with this id. Raises UnknownAuditCursor."""
    last = None
    if after is not None:
        occurred_at = await unit.connection.fetchval(_OCCURRED_AT, after)
        if occurred_at is None:
            raise UnknownAuditCursor("`after` is not a cursor of this list")
        last = (occurred_at, after)
    query, arguments = build_audit_query(criteria, last, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


_ERASE = """
UPDATE audit_entries SET personal = personal - 'before' - 'after'
WHERE object_id = ANY ($1) AND object_type = ANY ($2) AND personal ?| ARRAY['before', 'after']
"""


async def erase_audited_values(unit: Unit, object_type: str, object_id: UUID) -> None:
    """Empty what entries about an object say of its personal values; who changed it, when and why stays."""
    await erase_values_by_type(unit, [object_type], [object_id])


async def erase_values_by_type(unit: Unit, object_types: Collection[str], object_ids: Collection[UUID]) -> None:
    """Empty what entries about objects of these types say of their personal values."""
    await unit.connection.execute(_ERASE, [str(object_id) for object_id in object_ids], list(object_types))
