"""Queries of what is held of payments for refunds."""

from collections.abc import Sequence
from uuid import UUID

from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit

_HOLD = """
WITH parts AS (
    INSERT INTO refund_parts (approval_id, payment_id, account_id, amount_minor)
    SELECT $1, payment_id, $2, amount FROM unnest($3::uuid[], $4::bigint[]) AS n (payment_id, amount)
    RETURNING payment_id, amount_minor
)
UPDATE payments p SET unapplied_minor = p.unapplied_minor - parts.amount_minor
FROM parts WHERE p.id = parts.payment_id
"""


async def reserve_refund_parts(
    unit: Unit, approval_id: UUID, account_id: UUID, parts: Sequence[tuple[UUID, int]]
) -> None:
    """Take unapplied cash of payments for a refund."""
    await unit.connection.execute(_HOLD, approval_id, account_id, *split_into_columns(parts, 2))


async def list_refund_parts(unit: Unit, approval_id: UUID) -> list[tuple[UUID, int]]:
    """List the payments of which a refund is made, with the amounts."""
    rows = await unit.connection.fetch(
        "SELECT payment_id, amount_minor FROM refund_parts WHERE approval_id = $1 ORDER BY payment_id", approval_id
    )
    return [tuple(row) for row in rows]


async def return_refund_parts(unit: Unit, approval_id: UUID) -> None:
    """Return what was taken for a refund to the unapplied cash of its payments."""
    await unit.connection.execute(
        "UPDATE payments p SET unapplied_minor = p.unapplied_minor + r.amount_minor"
        " FROM refund_parts r WHERE r.approval_id = $1 AND p.id = r.payment_id",
        approval_id,
    )


_REFUNDS_OF_PAYMENT = """
SELECT a.id, a.state FROM refund_parts r JOIN approvals a ON a.id = r.approval_id
WHERE r.payment_id = $1 AND a.state IN ('proposed', 'carried_out') ORDER BY a.id
"""


async def list_refunds_of_payment(unit: Unit, payment_id: UUID) -> list[tuple[UUID, str]]:
    """List the refunds for which a payment's cash is held, or was paid back, with their states."""
    return [(row["id"], row["state"]) for row in await unit.connection.fetch(_REFUNDS_OF_PAYMENT, payment_id)]
