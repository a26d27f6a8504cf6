"""Notices, and the steps that were taken with them."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlmodel import col, select

from services.collections.tables import NoticeRow
from shared.persistence.database import Unit
from shared.pure.bounces import compute_bounce_id
from shared.pure.errors import NotFound


async def insert_access_notice(
    unit: Unit, notice_id: UUID, account_id: UUID, kind: str, items: Sequence[dict[str, Any]], subscription_id: UUID
) -> None:
    """Write a notice about the access to a subscription that is to be sent."""
    await unit.connection.execute(
        "INSERT INTO notices (id, account_id, kind, template, items, subscription_ids, state, created_at)"
        " VALUES ($1, $2, $3, $3, $4, $5, 'pending', $6)",
        notice_id,
        account_id,
        kind,
        orjson.dumps(items).decode(),
        [subscription_id],
        unit.now,
    )


_GATHERING = """
SELECT n.id, n.items, n.subscription_ids FROM notices n
JOIN intents i ON i.kind = $3 AND i.key = n.id::text AND i.state = 'pending' AND i.attempts = 0
WHERE n.account_id = $1 AND n.kind = $2 AND n.state = 'pending' ORDER BY n.id LIMIT 1 FOR UPDATE OF i
"""
"""The lock keeps the worker from it, which passes over what is locked."""


class UnsentNotice(NamedTuple):
    """A notice that nobody has begun to send, with what it states so far."""

    id: UUID
    items: list[dict[str, Any]]
    subscription_ids: list[UUID]


async def find_unsent_notice(unit: Unit, account_id: UUID, kind: str, intent_kind: str) -> UnsentNotice | None:
    """Find the notice of a kind that nobody has begun to send, and keep it from being sent until the unit ends."""
    row = await unit.connection.fetchrow(_GATHERING, account_id, kind, intent_kind)
    return UnsentNotice(*row) if row else None


async def save_unsent_notice(
    unit: Unit, notice_id: UUID, items: Sequence[dict[str, Any]], subscription_ids: Sequence[UUID]
) -> None:
    """Save what a notice that is not sent yet states."""
    await unit.connection.execute(
        "UPDATE notices SET items = $2, subscription_ids = $3 WHERE id = $1",
        notice_id,
        orjson.dumps(items).decode(),
        list(subscription_ids),
    )


async def get_notice(unit: Unit, notice_id: UUID) -> NoticeRow:
    """The notice. Raises NotFound."""
    row = await unit.session.get(NoticeRow, notice_id)
    if row is None:
        raise NotFound(f"there is no notice {notice_id}")
    return row


async def list_notices(unit: Unit, account_id: UUID, limit: int) -> Sequence[NoticeRow]:
    """The notices of an account, newest first."""
    query = select(NoticeRow).where(NoticeRow.account_id == account_id).order_by(col(NoticeRow.id).desc()).limit(limit)
    return (await unit.session.exec(query)).all()


async def save_notice_secret(unit: Unit, notice_id: UUID, secret: str) -> None:
    """Save the secret of a notice, unless it has one."""
    await unit.connection.execute(
        "UPDATE notices SET secret = $2, bounce_id = $3 WHERE id = $1 AND secret IS NULL",
        notice_id,
        secret,
        compute_bounce_id(secret),
    )


async def find_bounced_notice(unit: Unit, bounce_id: UUID) -> tuple[UUID, UUID] | None:
    """Find the notice that a bounce names, and its account."""
    row = await unit.connection.fetchrow("SELECT id, account_id FROM notices WHERE bounce_id = $1", bounce_id)
    return (row["id"], row["account_id"]) if row else None


async def save_notice_result(unit: Unit, notice_id: UUID, state: str, failure: str | None) -> None:
    """Save that a notice was sent now, failed or was withdrawn and why, or waits again, with another secret to come."""
    await unit.connection.execute(
        "UPDATE notices SET state = $2, failure = $3, delivered_at = CASE WHEN $2 = 'sent' THEN $4::timestamptz END,"
        " secret = CASE WHEN $2 <> 'pending' THEN secret END,"
        " bounce_id = CASE WHEN $2 <> 'pending' THEN bounce_id END WHERE id = $1",
        notice_id,
        state,
        failure,
        unit.now,
    )


async def undo_steps_of_notice(unit: Unit, notice_id: UUID) -> None:
    """The steps of a notice that was not sent are as if not taken, and so are those that it stood for."""
    await unit.connection.execute(
        "WITH gone AS (DELETE FROM steps_taken WHERE notice_id = $1 RETURNING invoice_id, round, step, taken_at)"
        " DELETE FROM steps_taken s USING gone"
        " WHERE (s.invoice_id, s.round, s.replaced_by, s.taken_at)"
        " = (gone.invoice_id, gone.round, gone.step, gone.taken_at)",
        notice_id,
    )
