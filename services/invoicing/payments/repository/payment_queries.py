"""Payments and what they pay, reservations for disputes, numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.invoicing.ledger.repository.ledger_queries import Posting, list_ledger_entry_rows
from services.invoicing.payments.tables.payment_tables import PaymentRow
from services.invoicing.receivables.domain.invoice_balances import Allocation, Payment
from shared.persistence.database import Unit, split_into_columns
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound
from shared.pure.ids import new_id


async def get_payment(unit: Unit, payment_id: UUID, *, fresh: bool = False) -> PaymentRow:
    """The payment; `fresh`: as it is now, whatever this unit has read before. Raises NotFound."""
    row = await unit.session.get(PaymentRow, payment_id, populate_existing=fresh)
    if row is None:
        raise NotFound(f"there is no payment {payment_id}")
    return row


async def list_payment_rows(
    unit: Unit, account_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[PaymentRow]:
    """Payments in the order of their ids, of one account if it is given."""
    return await list_rows_after(unit, PaymentRow, after, limit, account_id=account_id)


_BY_NUMBER = """
SELECT account_id, number, id FROM invoices JOIN unnest($1::uuid[], $2::text[]) AS named (account_id, number)
    USING (account_id, number)
"""


async def map_invoices_by_number(unit: Unit, named: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], UUID]:
    """The invoices that are named by their account and number, as far as there are such."""
    rows = await unit.connection.fetch(_BY_NUMBER, *split_into_columns(named, 2))
    return {(row["account_id"], row["number"]): row["id"] for row in rows}


async def map_payments_with_cash(unit: Unit, account_id: UUID) -> dict[UUID, Payment]:
    """The payments of an account that have unapplied cash."""
    return (await map_account_unapplied_payments(unit, [account_id])).get(account_id, {})


async def map_account_unapplied_payments(unit: Unit, account_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, Payment]]:
    """The payments that have unapplied cash, by account."""
    rows = await unit.connection.fetch(
        "SELECT account_id, id, amount_minor, unapplied_minor, received_at FROM payments"
        " WHERE account_id = ANY($1::uuid[]) AND unapplied_minor > 0",
        account_ids,
    )
    payments_by_account: dict[UUID, dict[UUID, Payment]] = {}
    for account_id, *fields in rows:
        payment = Payment(*fields)
        payments_by_account.setdefault(account_id, {})[payment.id] = payment
    return payments_by_account


async def list_allocations_of_payment(unit: Unit, payment_id: UUID) -> list[Allocation]:
    """List what a payment paid and still pays."""
    rows = await unit.connection.fetch(
        "SELECT payment_id, invoice_id, line, amount_minor, is_recovery FROM allocations"
        " WHERE payment_id = $1 AND reversed_at IS NULL ORDER BY id",
        payment_id,
    )
    return [Allocation(*row) for row in rows]


async def save_unapplied_cash_amounts(unit: Unit, payments: Iterable[Payment]) -> None:
    """Save what of these payments is unapplied cash."""
    rows = [(payment.id, payment.unapplied) for payment in payments]
    await unit.connection.execute(
        "UPDATE payments p SET unapplied_minor = n.unapplied"
        " FROM unnest($1::uuid[], $2::bigint[]) AS n (id, unapplied) WHERE p.id = n.id",
        *split_into_columns(rows, 2),
    )


@dataclass(frozen=True, slots=True)
class RecordedPayment:
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


async def insert_payments_with_postings(
    unit: Unit,
    received: Sequence[RecordedPayment],
    posted: Iterable[Posting],
    allocations: Iterable[tuple[UUID, Allocation]],
) -> None:
    """Write new payments, both sides of each, and what they pay (account, allocation).

    In one statement, since nothing is asked for more often.
    """
    payments = [
        (
            payment.id,
            payment.account_id,
            payment.amount_minor,
            payment.currency,
            payment.reference,
            payment.unapplied_minor,
            payment.received_at,
            payment.state,
        )
        for payment in received
    ]
    await unit.connection.execute(
        _ADD,
        unit.now,
        *split_into_columns(payments, 8),
        *split_into_columns(list_ledger_entry_rows(posted, unit.now), 9),
        *split_into_columns(map(_allocation_record, allocations), 7),
    )


_ADD_ALLOCATIONS = """
INSERT INTO allocations (id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery, allocated_at)
SELECT id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery, $1
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::bigint[], $8::bool[])
    AS n (id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery)
"""


async def insert_payment_allocations(unit: Unit, allocations: Iterable[tuple[UUID, Allocation]]) -> None:
    """Record what payments paid (account, allocation)."""
    await unit.connection.execute(
        _ADD_ALLOCATIONS, unit.now, *split_into_columns(map(_allocation_record, allocations), 7)
    )


def _allocation_record(of_account: tuple[UUID, Allocation]) -> tuple[object, ...]:
    account_id, allocation = of_account
    return (
        new_id(),
        account_id,
        allocation.payment_id,
        allocation.invoice_id,
        allocation.line,
        allocation.amount,
        allocation.is_recovery,
    )


async def mark_payment_reversed(unit: Unit, payment_id: UUID) -> None:
    """The payment was taken back, and pays nothing any more."""
    await unit.connection.execute(
        "UPDATE payments SET state = 'reversed', unapplied_minor = 0 WHERE id = $1", payment_id
    )
    await unit.connection.execute(
        "UPDATE allocations SET reversed_at = $2 WHERE payment_id = $1 AND reversed_at IS NULL", payment_id, unit.now
    )
