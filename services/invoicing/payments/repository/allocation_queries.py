"""Queries of allocations: which payments pay an invoice, what new ones pay, and what is taken back from them."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from services.invoicing.receivables.domain.invoice_balances import Allocation
from shared.persistence.bulk_rows import Integer, RowParameters, split_into_columns
from shared.persistence.database import Unit
from shared.pure.ids import new_id


async def list_allocations_on_invoice(unit: Unit, invoice_id: UUID) -> list[Allocation]:
    """List what pays an invoice, oldest payment first."""
    rows = await unit.connection.fetch(
        "SELECT a.payment_id, a.invoice_id, a.line, a.amount_minor, a.is_recovery"
        " FROM allocations a JOIN payments p ON p.id = a.payment_id"
        " WHERE a.invoice_id = $1 AND a.reversed_at IS NULL ORDER BY p.received_at, p.id, a.allocated_at, a.id",
        invoice_id,
    )
    return [Allocation(*row) for row in rows]


class NewAllocation(NamedTuple):
    """A row of `allocations`, but for its time."""

    id: UUID
    account_id: UUID
    payment_id: UUID
    invoice_id: UUID
    line: Integer
    amount_minor: int
    is_recovery: bool


def build_new_allocation(account_id: UUID, allocation: Allocation) -> NewAllocation:
    """Build the row of an allocation, under a new id."""
    return NewAllocation(
        id=new_id(),
        account_id=account_id,
        payment_id=allocation.payment_id,
        invoice_id=allocation.invoice_id,
        line=allocation.line,
        amount_minor=allocation.amount,
        is_recovery=allocation.is_recovery,
    )


def build_allocation_insert(rows: RowParameters[NewAllocation]) -> str:
    """Build the statement that inserts allocations of the time $1."""
    return (
        f"INSERT INTO allocations ({rows.columns}, allocated_at)"
        f" SELECT {rows.columns}, $1 FROM unnest({rows.typed_arrays}) AS n ({rows.columns})"
    )


_NEW = RowParameters(NewAllocation, first=2)
_INSERT = build_allocation_insert(_NEW)


async def insert_allocations(unit: Unit, allocations: Iterable[NewAllocation]) -> None:
    """Insert what payments pay from now on."""
    await unit.connection.execute(_INSERT, unit.now, *_NEW.split_columns(allocations))


_FREE = """
WITH freed AS (
    SELECT payment_id, invoice_id, line, is_recovery, sum(amount)::bigint AS amount
    FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::bool[], $5::bigint[])
        AS n (payment_id, invoice_id, line, is_recovery, amount)
    GROUP BY payment_id, invoice_id, line, is_recovery
), gone AS (
    UPDATE allocations a SET reversed_at = $6 FROM freed f
    WHERE (a.payment_id, a.invoice_id, a.line, a.is_recovery) = (f.payment_id, f.invoice_id, f.line, f.is_recovery)
        AND a.reversed_at IS NULL
    RETURNING a.account_id, a.payment_id, a.invoice_id, a.line, a.is_recovery, a.amount_minor
), cash AS (
    UPDATE payments p SET unapplied_minor = p.unapplied_minor + f.amount
    FROM (SELECT payment_id, sum(amount)::bigint AS amount FROM freed GROUP BY payment_id) f WHERE p.id = f.payment_id
)
SELECT g.account_id, f.payment_id, f.invoice_id, f.line, sum(g.amount_minor)::bigint - f.amount AS amount_minor,
    f.is_recovery
FROM freed f JOIN gone g USING (payment_id, invoice_id, line, is_recovery)
GROUP BY g.account_id, f.payment_id, f.invoice_id, f.line, f.is_recovery, f.amount
"""


async def reduce_freed_allocations(unit: Unit, freed: Iterable[Allocation]) -> None:
    """Make unapplied cash again of what paid these amounts; what is left of each allocation goes on paying."""
    parts = [
        (allocation.payment_id, allocation.invoice_id, allocation.line, allocation.is_recovery, allocation.amount)
        for allocation in freed
    ]
    if not parts:
        return
    rests = await unit.connection.fetch(_FREE, *split_into_columns(parts, 5), unit.now)
    await insert_allocations(unit, [NewAllocation(id=new_id(), **rest) for rest in rests if rest["amount_minor"]])
