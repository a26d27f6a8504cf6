"""Payments and what they pay, reservations for disputes, numbers."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.invoicing.ledger.repository.ledger_queries import (
    LedgerEntry,
    Posting,
    build_ledger_entry_insert,
    list_ledger_entries,
)
from services.invoicing.payments.repository.allocation_queries import (
    NewAllocation,
    build_allocation_insert,
    build_new_allocation,
    insert_allocations,
)
from services.invoicing.payments.tables.payment_tables import PaymentRow
from services.invoicing.receivables.domain.invoice_balances import Allocation, Payment
from shared.persistence.bulk_rows import RowParameters, split_into_columns
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound


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


class RecordedPayment(NamedTuple):
    """A payment as it was recorded; what is not allocated is unapplied cash."""

    id: UUID
    account_id: UUID
    amount_minor: int
    currency: str
    reference: str | None
    unapplied_minor: int
    received_at: datetime
    state: str = "received"


_PAYMENTS = RowParameters(RecordedPayment, first=2)
_ENTRIES = RowParameters(LedgerEntry, first=_PAYMENTS.next)
_ALLOCATIONS = RowParameters(NewAllocation, first=_ENTRIES.next)
_ADD = f"""
WITH payment AS (
    INSERT INTO payments ({_PAYMENTS.columns}, charged_back_minor) SELECT *, 0 FROM unnest({_PAYMENTS.typed_arrays})
), posted AS ({build_ledger_entry_insert(_ENTRIES)})
{build_allocation_insert(_ALLOCATIONS)}
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
    await unit.connection.execute(
        _ADD,
        unit.now,
        *_PAYMENTS.split_columns(received),
        *_ENTRIES.split_columns(list_ledger_entries(posted, unit.now)),
        *_ALLOCATIONS.split_columns(_build_allocations(allocations)),
    )


async def insert_payment_allocations(unit: Unit, allocations: Iterable[tuple[UUID, Allocation]]) -> None:
    """Record what payments paid (account, allocation)."""
    await insert_allocations(unit, _build_allocations(allocations))


def _build_allocations(allocations: Iterable[tuple[UUID, Allocation]]) -> Iterator[NewAllocation]:
    return (build_new_allocation(account_id, allocation) for account_id, allocation in allocations)


async def mark_payment_reversed(unit: Unit, payment_id: UUID) -> None:
    """The payment was taken back, and pays nothing any more."""
    await unit.connection.execute(
        "UPDATE payments SET state = 'reversed', unapplied_minor = 0 WHERE id = $1", payment_id
    )
    await unit.connection.execute(
        "UPDATE allocations SET reversed_at = $2 WHERE payment_id = $1 AND reversed_at IS NULL", payment_id, unit.now
    )
