"""Credit notes, and what they free of payments and of revenue that was not earned yet."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.invoicing.adjustments.tables.credit_note_tables import CreditNoteRow
from services.invoicing.ledger.domain import CreditNoteLineShare
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.pure.errors import NotFound


async def get_credit_note(unit: Unit, credit_note_id: UUID) -> CreditNoteRow:
    """The credit note. Raises NotFound."""
    row = await unit.session.get(CreditNoteRow, credit_note_id)
    if row is None:
        raise NotFound(f"there is no credit note {credit_note_id}")
    return row


async def list_credit_notes(
    unit: Unit, account_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[CreditNoteRow]:
    """Credit notes in the order of their ids, of one account if it is given."""
    return await list_rows_after(unit, CreditNoteRow, after, limit, account_id=account_id)


async def list_credit_note_lines(unit: Unit, credit_note_ids: Sequence[UUID]) -> dict[UUID, list[tuple[int, int]]]:
    """The lines of credit notes, each with what is credited of it."""
    rows = await unit.connection.fetch(
        "SELECT credit_note_id, line, amount_minor FROM credit_note_lines"
        " WHERE credit_note_id = ANY($1::uuid[]) ORDER BY credit_note_id, line",
        credit_note_ids,
    )
    lines_by_credit_note: dict[UUID, list[tuple[int, int]]] = {id_: [] for id_ in credit_note_ids}
    for row in rows:
        lines_by_credit_note[row["credit_note_id"]].append((row["line"], row["amount_minor"]))
    return lines_by_credit_note


async def insert_credit_note(unit: Unit, row: CreditNoteRow, lines: Sequence[tuple[int, int]]) -> None:
    """Write a credit note and its lines."""
    unit.session.add(row)
    await unit.session.flush()
    await unit.connection.execute(
        "INSERT INTO credit_note_lines (credit_note_id, line, account_id, amount_minor)"
        " SELECT $1, line, $2, amount FROM unnest($3::int[], $4::bigint[]) AS n (line, amount)",
        row.id,
        row.account_id,
        *split_into_columns(lines, 2),
    )


_UNEARNED = """
SELECT l.line, c.id, l.net_minor - c.released_minor - coalesce(k.amount_minor, 0) AS unearned_minor
FROM invoice_lines l JOIN charges c ON c.id = l.charge_id LEFT JOIN charge_credits k ON k.charge_id = c.id
WHERE l.invoice_id = $1 AND c.is_deferred
"""
_NEVER_EARNED = """
INSERT INTO charge_credits (charge_id, account_id, amount_minor)
SELECT charge_id, $1, amount FROM unnest($2::uuid[], $3::bigint[]) AS n (charge_id, amount)
ON CONFLICT (charge_id) DO UPDATE SET amount_minor = charge_credits.amount_minor + excluded.amount_minor
"""


async def credit_deferred_revenue(
    unit: Unit, account_id: UUID, invoice_id: UUID, shares: Iterable[tuple[int, CreditNoteLineShare]]
) -> int:
    """Take what is credited of lines billed in advance from what is not earned of them yet; how much that is."""
    unearned = {row["line"]: row for row in await unit.connection.fetch(_UNEARNED, invoice_id)}
    taken = [
        (unearned[line]["id"], min(share.amount - share.tax_minor, unearned[line]["unearned_minor"]))
        for line, share in shares
        if line in unearned
    ]
    taken = [(charge_id, amount) for charge_id, amount in taken if amount > 0]
    if taken:
        await unit.connection.execute(_NEVER_EARNED, account_id, *split_into_columns(taken, 2))
    return sum(amount for _, amount in taken)
