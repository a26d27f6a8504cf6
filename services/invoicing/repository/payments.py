"""Payments and what they pay, reservations for disputes, numbers."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from uuid import UUID

from sqlmodel import col, select

from services.invoicing.domain.ledger import Entries
from services.invoicing.domain.owed import Allocation, Payment
from services.invoicing.tables import PaymentRow
from shared.database import Unit, columns
from shared.errors import NotFound
from shared.ids import new_id


async def payment_row(unit: Unit, payment_id: UUID, *, fresh: bool = False) -> PaymentRow:
    """The payment; `fresh`: as it is now, whatever this unit has read before. Raises NotFound."""
    row = await unit.session.get(PaymentRow, payment_id, populate_existing=fresh)
    if row is None:
        raise NotFound(f"there is no payment {payment_id}")
    return row


async def payments_after(unit: Unit, account_id: UUID | None, after: UUID | None, limit: int) -> Sequence[PaymentRow]:
    """Payments in the order of their ids, of one account if it is given."""
    query = select(PaymentRow).order_by(col(PaymentRow.id)).limit(limit)
    if account_id is not None:
        query = query.where(PaymentRow.account_id == account_id)
    if after is not None:
        query = query.where(col(PaymentRow.id) > after)
    return (await unit.session.exec(query)).all()


async def invoices_by_number(unit: Unit, account_id: UUID, numbers: Sequence[str]) -> dict[str, UUID]:
    """The invoices of an account that have these numbers."""
    rows = await unit.connection.fetch(
        "SELECT number, id FROM invoices WHERE account_id = $1 AND number = ANY($2::text[])", account_id, numbers
    )
    return {row["number"]: row["id"] for row in rows}


async def unapplied_payments(unit: Unit, account_id: UUID) -> dict[UUID, Payment]:
    """The payments of an account that have unapplied cash."""
    rows = await unit.connection.fetch(
        "SELECT id, amount_minor, unapplied_minor, received_at FROM payments"
        " WHERE account_id = $1 AND unapplied_minor > 0",
        account_id,
    )
    return {row["id"]: Payment(*row) for row in rows}


async def allocations_of(unit: Unit, payment_id: UUID) -> list[Allocation]:
    """What a payment paid and still pays."""
    rows = await unit.connection.fetch(
        "SELECT payment_id, invoice_id, line, amount_minor, is_recovery FROM allocations"
        " WHERE payment_id = $1 AND reversed_at IS NULL ORDER BY id",
        payment_id,
    )
    return [Allocation(*row) for row in rows]


async def reservations_of(unit: Unit, dispute_id: UUID) -> tuple[UUID, list[tuple[int, int]], bool] | None:
    """The invoice, lines and amounts of a dispute, and whether they are still held; None if unknown."""
    rows = await unit.connection.fetch(
        "SELECT invoice_id, line, amount_minor, released_at FROM reservations WHERE dispute_id = $1 ORDER BY line",
        dispute_id,
    )
    if not rows:
        return None
    held = [(row["line"], row["amount_minor"]) for row in rows]
    return rows[0]["invoice_id"], held, rows[0]["released_at"] is None


_NEXT_NUMBER = """
INSERT INTO numbers (legal_entity, series, last) VALUES ($1, $2, 1)
ON CONFLICT (legal_entity, series) DO UPDATE SET last = numbers.last + 1 RETURNING last
"""


async def next_number(unit: Unit, legal_entity: str, series: str) -> int:
    """The next number of a series, without a gap: the row stays locked until the unit ends."""
    number: int = await unit.connection.fetchval(_NEXT_NUMBER, legal_entity, series)
    return number


async def save_payments(unit: Unit, payments: Iterable[Payment]) -> None:
    """Save what of these payments is unapplied cash."""
    rows = [(one.id, one.unapplied) for one in payments]
    await unit.connection.execute(
        "UPDATE payments p SET unapplied_minor = n.unapplied"
        " FROM unnest($1::uuid[], $2::bigint[]) AS n (id, unapplied) WHERE p.id = n.id",
        *columns(rows, 2),
    )


_ADD = """
WITH payment AS (
    INSERT INTO payments (id, account_id, amount_minor, currency, reference, unapplied_minor, state, received_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
), posted AS (
    INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,
        event_sequence, posted_on, posted_at)
    SELECT $9, code, $4, amount, $2, 'payment', $1, $10, $11, $8
    FROM unnest($12::text[], $13::bigint[]) AS side (code, amount)
)
INSERT INTO allocations (id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery, allocated_at)
SELECT id, $2, $1, invoice_id, line, amount_minor, is_recovery, $8
FROM unnest($14::uuid[], $15::uuid[], $16::int[], $17::bigint[], $18::bool[])
    AS n (id, invoice_id, line, amount_minor, is_recovery)
"""


async def add(
    unit: Unit, row: PaymentRow, legal_entity: str, sequence: int, entries: Entries, allocations: Sequence[Allocation]
) -> None:
    """Write a new payment, both sides of it and what it pays, in one statement: nothing is asked for more often."""
    sides = [(str(code), amount) for code, amount in entries.items() if amount]
    parts = [(new_id(), one.invoice_id, one.line, one.amount, one.is_recovery) for one in allocations]
    await unit.connection.execute(
        _ADD,
        row.id,
        row.account_id,
        row.amount_minor,
        row.currency,
        row.reference,
        row.unapplied_minor,
        row.state,
        row.received_at,
        legal_entity,
        sequence,
        unit.now.astimezone(UTC).date(),
        *columns(sides, 2),
        *columns(parts, 5),
    )


_ADD_ALLOCATIONS = """
INSERT INTO allocations (id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery, allocated_at)
SELECT id, $1, payment_id, invoice_id, line, amount_minor, is_recovery, $2
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::bigint[], $8::bool[])
    AS n (id, payment_id, invoice_id, line, amount_minor, is_recovery)
"""


async def add_allocations(unit: Unit, account_id: UUID, allocations: Sequence[Allocation]) -> None:
    """Record what payments paid."""
    rows = [(new_id(), one.payment_id, one.invoice_id, one.line, one.amount, one.is_recovery) for one in allocations]
    await unit.connection.execute(_ADD_ALLOCATIONS, account_id, unit.now, *columns(rows, 6))


async def mark_reversed(unit: Unit, payment_id: UUID) -> None:
    """The payment was taken back, and pays nothing any more."""
    await unit.connection.execute(
        "UPDATE payments SET state = 'reversed', unapplied_minor = 0 WHERE id = $1", payment_id
    )
    await unit.connection.execute(
        "UPDATE allocations SET reversed_at = $2 WHERE payment_id = $1 AND reversed_at IS NULL", payment_id, unit.now
    )


async def add_reservations(
    unit: Unit, account_id: UUID, dispute_id: UUID, invoice_id: UUID, held: Sequence[tuple[int, int]]
) -> None:
    """Hold amounts for a dispute."""
    await unit.connection.execute(
        "INSERT INTO reservations (dispute_id, line, invoice_id, account_id, amount_minor, reserved_at)"
        " SELECT $1, line, $2, $3, amount, $4 FROM unnest($5::int[], $6::bigint[]) AS n (line, amount)",
        dispute_id,
        invoice_id,
        account_id,
        unit.now,
        *columns(held, 2),
    )


async def mark_released(unit: Unit, dispute_id: UUID) -> None:
    """The dispute ended."""
    await unit.connection.execute(
        "UPDATE reservations SET released_at = $2 WHERE dispute_id = $1", dispute_id, unit.now
    )
