"""Payments and what they pay, reservations for disputes, numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.invoicing.ledger.repository.ledger_queries import Posting, sides
from services.invoicing.payments.tables.payment_tables import PaymentRow
from services.invoicing.receivables.domain.invoice_balances import Allocation, Payment
from shared.persistence.database import Unit, columns
from shared.persistence.keyset import rows_after
from shared.pure.errors import NotFound
from shared.pure.ids import new_id


async def payment_row(unit: Unit, payment_id: UUID, *, fresh: bool = False) -> PaymentRow:
    """The payment; `fresh`: as it is now, whatever this unit has read before. Raises NotFound."""
    row = await unit.session.get(PaymentRow, payment_id, populate_existing=fresh)
    if row is None:
        raise NotFound(f"there is no payment {payment_id}")
    return row


async def payments_after(unit: Unit, account_id: UUID | None, after: UUID | None, limit: int) -> Sequence[PaymentRow]:
    """Payments in the order of their ids, of one account if it is given."""
    return await rows_after(unit, PaymentRow, after, limit, account_id=account_id)


_BY_NUMBER = """
SELECT account_id, number, id FROM invoices JOIN unnest($1::uuid[], $2::text[]) AS named (account_id, number)
    USING (account_id, number)
"""


async def invoices_by_number(unit: Unit, named: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], UUID]:
    """The invoices that are named by their account and number, as far as there are such."""
    rows = await unit.connection.fetch(_BY_NUMBER, *columns(named, 2))
    return {(row["account_id"], row["number"]): row["id"] for row in rows}


async def unapplied_payments(unit: Unit, account_id: UUID) -> dict[UUID, Payment]:
    """The payments of an account that have unapplied cash."""
    return (await unapplied_payments_of(unit, [account_id])).get(account_id, {})


async def unapplied_payments_of(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, Payment]]:
    """The payments that have unapplied cash, by account."""
    rows = await unit.connection.fetch(
        "SELECT account_id, id, amount_minor, unapplied_minor, received_at FROM payments"
        " WHERE account_id = ANY($1::uuid[]) AND unapplied_minor > 0",
        account_ids,
    )
    found: dict[UUID, dict[UUID, Payment]] = {}
    for account_id, *fields in rows:
        payment = Payment(*fields)
        found.setdefault(account_id, {})[payment.id] = payment
    return found


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


@dataclass(frozen=True, slots=True)
class Received:
    """A payment as it was recorded; what is not allocated is unapplied cash."""

    id: UUID
    account_id: UUID
    amount_minor: int
    currency: str
    reference: str | None
    unapplied_minor: int
    received_at: datetime
    state: str = "received"


_ADD = """
WITH payment AS (
    INSERT INTO payments (id, account_id, amount_minor, currency, reference, unapplied_minor, received_at, state,
        charged_back_minor)
    SELECT *, 0 FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],
        $8::timestamptz[], $9::text[])
), posted AS (
    INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,
        event_sequence, posted_on, posted_at)
    SELECT legal_entity, code, currency, amount, account_id, document, document_id, sequence, posted_on, $1
    FROM unnest($10::text[], $11::text[], $12::text[], $13::bigint[], $14::uuid[], $15::text[], $16::uuid[],
        $17::bigint[], $18::date[])
        AS side (legal_entity, code, currency, amount, account_id, document, document_id, sequence, posted_on)
)
INSERT INTO allocations (id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery, allocated_at)
SELECT id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery, $1
FROM unnest($19::uuid[], $20::uuid[], $21::uuid[], $22::uuid[], $23::int[], $24::bigint[], $25::bool[])
    AS n (id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery)
"""


async def add(
    unit: Unit, received: Sequence[Received], posted: Iterable[Posting], allocations: Iterable[tuple[UUID, Allocation]]
) -> None:
    """Write new payments, both sides of each, and what they pay (account, allocation).

    In one statement, since nothing is asked for more often.
    """
    payments = [
        (
            one.id,
            one.account_id,
            one.amount_minor,
            one.currency,
            one.reference,
            one.unapplied_minor,
            one.received_at,
            one.state,
        )
        for one in received
    ]
    await unit.connection.execute(
        _ADD,
        unit.now,
        *columns(payments, 8),
        *columns(sides(posted, unit.now), 9),
        *columns(map(_allocated, allocations), 7),
    )


_ADD_ALLOCATIONS = """
INSERT INTO allocations (id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery, allocated_at)
SELECT id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery, $1
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::bigint[], $8::bool[])
    AS n (id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery)
"""


async def add_allocations(unit: Unit, allocations: Iterable[tuple[UUID, Allocation]]) -> None:
    """Record what payments paid (account, allocation)."""
    await unit.connection.execute(_ADD_ALLOCATIONS, unit.now, *columns(map(_allocated, allocations), 7))


def _allocated(of_account: tuple[UUID, Allocation]) -> tuple[object, ...]:
    account_id, one = of_account
    return new_id(), account_id, one.payment_id, one.invoice_id, one.line, one.amount, one.is_recovery


async def mark_reversed(unit: Unit, payment_id: UUID) -> None:
    """The payment was taken back, and pays nothing any more."""
    await unit.connection.execute(
        "UPDATE payments SET state = 'reversed', unapplied_minor = 0 WHERE id = $1", payment_id
    )
    await unit.connection.execute(
        "UPDATE allocations SET reversed_at = $2 WHERE payment_id = $1 AND reversed_at IS NULL", payment_id, unit.now
    )


_SAVE_RESERVATIONS = """
INSERT INTO reservations (dispute_id, line, invoice_id, account_id, amount_minor, reserved_at, amendment)
SELECT $1, line, $2, $3, amount, $4, $7 FROM unnest($5::int[], $6::bigint[]) AS n (line, amount)
ON CONFLICT (dispute_id, line) DO UPDATE SET amount_minor = excluded.amount_minor, amendment = excluded.amendment
"""


async def save_reservations(
    unit: Unit, account_id: UUID, dispute_id: UUID, invoice_id: UUID, lines: Sequence[tuple[int, int]], amendment: int
) -> None:
    """Reserve these amounts of lines (number, minor units) for a dispute, and no others."""
    await unit.connection.execute(
        _SAVE_RESERVATIONS, dispute_id, invoice_id, account_id, unit.now, *columns(lines, 2), amendment
    )
    await unit.connection.execute(
        "DELETE FROM reservations WHERE dispute_id = $1 AND amendment <> $2", dispute_id, amendment
    )


async def get_amendment(unit: Unit, dispute_id: UUID) -> int:
    """Get the number of the last amendment of what is reserved for a dispute; 0 if there was none."""
    number: int = await unit.connection.fetchval(
        "SELECT coalesce(max(amendment), 0) FROM reservations WHERE dispute_id = $1", dispute_id
    )
    return number


async def mark_released(unit: Unit, dispute_id: UUID) -> None:
    """The dispute ended."""
    await unit.connection.execute(
        "UPDATE reservations SET released_at = $2 WHERE dispute_id = $1", dispute_id, unit.now
    )
