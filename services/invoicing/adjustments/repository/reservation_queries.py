"""Queries of what disputes reserve of lines."""

from collections.abc import Sequence
from uuid import UUID

from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit


async def find_dispute_reservation(unit: Unit, dispute_id: UUID) -> tuple[UUID, list[tuple[int, int]], bool] | None:
    """The invoice, lines and amounts of a dispute, and whether they are still held; None if unknown."""
    rows = await unit.connection.fetch(
        "SELECT invoice_id, line, amount_minor, released_at FROM reservations WHERE dispute_id = $1 ORDER BY line",
        dispute_id,
    )
    if not rows:
        return None
    reserved_lines = [(row["line"], row["amount_minor"]) for row in rows]
    return rows[0]["invoice_id"], reserved_lines, rows[0]["released_at"] is None


_SAVE_RESERVATIONS = """
INSERT INTO reservations (dispute_id, line, invoice_id, account_id, amount_minor, reserved_at, amendment)
SELECT $1, line, $2, $3, amount, $4, $7 FROM unnest($5::int[], $6::bigint[]) AS n (line, amount)
ON CONFLICT (dispute_id, line) DO UPDATE SET amount_minor = excluded.amount_minor, amendment = excluded.amendment
"""


async def save_dispute_reservations(
    unit: Unit, account_id: UUID, dispute_id: UUID, invoice_id: UUID, lines: Sequence[tuple[int, int]], amendment: int
) -> None:
    """Reserve these amounts of lines (number, minor units) for a dispute, and no others."""
    await unit.connection.execute(
        _SAVE_RESERVATIONS, dispute_id, invoice_id, account_id, unit.now, *split_into_columns(lines, 2), amendment
    )
    await unit.connection.execute(
        "DELETE FROM reservations WHERE dispute_id = $1 AND amendment <> $2", dispute_id, amendment
    )


async def get_dispute_amendment_number(unit: Unit, dispute_id: UUID) -> int:
    """Get the number of the last amendment of what is reserved for a dispute; 0 if there was none."""
    number: int = await unit.connection.fetchval(
        "SELECT coalesce(max(amendment), 0) FROM reservations WHERE dispute_id = $1", dispute_id
    )
    return number


async def mark_dispute_released(unit: Unit, dispute_id: UUID) -> None:
    """The dispute ended."""
    await unit.connection.execute(
        "UPDATE reservations SET released_at = $2 WHERE dispute_id = $1", dispute_id, unit.now
    )
