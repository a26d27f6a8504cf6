"""Queries of direct debits."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
from sqlmodel import select

from services.invoicing.payments.tables.debit_tables import DebitRow
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound


async def get_debit_row(unit: Unit, debit_id: UUID) -> DebitRow:
    """The debit as it is now. Raises NotFound."""
    row = await unit.session.get(DebitRow, debit_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no debit {debit_id}")
    return row


async def is_debit_reference_taken(unit: Unit, account_id: UUID, reference: str) -> bool:
    """Whether the account has a debit with this reference."""
    query = select(DebitRow.id).where(DebitRow.account_id == account_id, DebitRow.reference == reference)
    return (await unit.session.exec(query)).first() is not None


async def list_debit_rows(
    unit: Unit, state: str | None, account_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[DebitRow]:
    """Debits in the order of their ids."""
    return await list_rows_after(unit, DebitRow, after, limit, state=state, account_id=account_id)


async def save_debit(unit: Unit, row: DebitRow) -> None:
    """Write a debit, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


_BY_ID = """
SELECT d.id, d.account_id, d.invoice_id, d.amount_minor, d.currency, d.reference, d.lines::text AS lines, d.state,
    d.payment_id, EXISTS (SELECT FROM bank_entries b WHERE b.payment_id = d.payment_id) AS has_entry
FROM debits d WHERE d.id = ANY($1::uuid[])
"""


async def list_debits_by_id(unit: Unit, debit_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """List debits as they are, each with whether an entry is its payment (`has_entry`); lines are JSON."""
    return await unit.connection.fetch(_BY_ID, debit_ids)  # type: ignore[no-any-return]


async def has_debit_bank_entry(unit: Unit, debit_id: UUID) -> bool:
    """Tell whether an entry of a statement is the payment of a debit."""
    (row,) = await list_debits_by_id(unit, [debit_id])
    return bool(row["has_entry"])


async def list_invoices_being_debited(unit: Unit, account_ids: Sequence[UUID]) -> set[UUID]:
    """List the invoices of these accounts of which a debit is in flight."""
    query = "SELECT invoice_id FROM debits WHERE account_id = ANY($1::uuid[]) AND state = 'initiated'"
    return {row["invoice_id"] for row in await unit.connection.fetch(query, account_ids)}


_SAVE_SETTLED = """
UPDATE debits d SET state = 'settled', ended_at = $1, payment_id = n.payment_id
FROM unnest($2::uuid[], $3::uuid[]) AS n (id, payment_id) WHERE d.id = n.id
"""


async def save_settled_debits(unit: Unit, settled: Iterable[tuple[UUID, UUID]]) -> None:
    """Save debits as settled, each with its payment."""
    await unit.connection.execute(_SAVE_SETTLED, unit.now, *split_into_columns(settled, 2))
