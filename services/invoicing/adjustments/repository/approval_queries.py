"""Approvals, the limits of roles, and the parts of refunds."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from services.invoicing.adjustments.tables.approval_tables import ApprovalRow
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound


async def get_approval(unit: Unit, approval_id: UUID) -> ApprovalRow:
    """The approval as it is now. Raises NotFound."""
    row = await unit.session.get(ApprovalRow, approval_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no approval {approval_id}")
    return row


async def list_approvals(
    unit: Unit, state: str | None, account_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[ApprovalRow]:
    """Approvals in the order of their ids."""
    return await list_rows_after(unit, ApprovalRow, after, limit, state=state, account_id=account_id)


async def save_approval(unit: Unit, row: ApprovalRow) -> None:
    """Write an approval, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def get_highest_approval_limit(unit: Unit, roles: Iterable[str], currency: str) -> int:
    """The highest amount that any of these roles may decide about; minor units, 0 if nobody said."""
    limit_minor: int | None = await unit.connection.fetchval(
        "SELECT max(amount_minor) FROM approval_limits WHERE role = ANY($1::text[]) AND currency = $2",
        list(roles),
        currency,
    )
    return limit_minor or 0


async def list_approval_limits(unit: Unit) -> list[asyncpg.Record]:
    """All limits, in the order of role and currency."""
    rows: list[asyncpg.Record] = await unit.connection.fetch(
        "SELECT role, currency, amount_minor, set_by, reason, set_at FROM approval_limits ORDER BY 1, 2"
    )
    return rows


async def find_approval_limit(unit: Unit, role: str, currency: str) -> asyncpg.Record | None:
    """Find up to which amount a role decides (amount_minor) and why (reason)."""
    return await unit.connection.fetchrow(_FIND_LIMIT, role, currency)


_FIND_LIMIT = "SELECT amount_minor, reason FROM approval_limits WHERE (role, currency) = ($1, $2)"
_SET_LIMIT = """
INSERT INTO approval_limits (role, currency, amount_minor, set_by, reason, set_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (role, currency) DO UPDATE
SET amount_minor = excluded.amount_minor, set_by = excluded.set_by, reason = excluded.reason, set_at = excluded.set_at
"""


async def save_approval_limit(unit: Unit, role: str, currency: str, amount_minor: int, actor: str, reason: str) -> None:
    """Say up to which amount a role decides."""
    await unit.connection.execute(_SET_LIMIT, role, currency, amount_minor, actor, reason, unit.now)


_FIND_STANDING = """
SELECT id FROM approvals WHERE account_id = $1 AND kind = $2 AND state = 'proposed'
    AND invoice_id IS NOT DISTINCT FROM $3
    AND CASE WHEN kind = 'credit_note' THEN EXISTS (
            SELECT FROM jsonb_array_elements(lines) AS line WHERE (line ->> 0)::int = ANY($4::int[]))
        WHEN kind = 'refund' THEN amount_minor = $5 ELSE true END
ORDER BY id LIMIT 1
"""


async def find_pending_approval(unit: Unit, row: ApprovalRow) -> UUID | None:
    """Find the proposal for the same thing that nobody has decided: a line, what is open of an invoice, or a refund."""
    lines = [line for line, _ in row.lines]
    found_id: UUID | None = await unit.connection.fetchval(
        _FIND_STANDING, row.account_id, row.kind, row.invoice_id, lines, row.amount_minor
    )
    return found_id
