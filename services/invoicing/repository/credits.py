"""Credit notes, and what they free of payments and of revenue that was not earned yet."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from services.invoicing.domain.ledger import Share
from services.invoicing.domain.owed import Allocation
from services.invoicing.tables import CreditNoteRow
from shared.persistence.database import Unit, columns
from shared.persistence.keyset import rows_after
from shared.pure.errors import NotFound
from shared.pure.ids import new_id


async def credit_note(unit: Unit, credit_note_id: UUID) -> CreditNoteRow:
    """The credit note. Raises NotFound."""
    row = await unit.session.get(CreditNoteRow, credit_note_id)
    if row is None:
        raise NotFound(f"there is no credit note {credit_note_id}")
    return row


async def credit_notes_after(
    unit: Unit, account_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[CreditNoteRow]:
    """Credit notes in the order of their ids, of one account if it is given."""
    return await rows_after(unit, CreditNoteRow, after, limit, account_id=account_id)


async def lines_of(unit: Unit, credit_note_ids: Sequence[UUID]) -> dict[UUID, list[tuple[int, int]]]:
    """The lines of credit notes, each with what is credited of it."""
    rows = await unit.connection.fetch(
        "SELECT credit_note_id, line, amount_minor FROM credit_note_lines"
        " WHERE credit_note_id = ANY($1::uuid[]) ORDER BY credit_note_id, line",
        credit_note_ids,
    )
    found: dict[UUID, list[tuple[int, int]]] = {one: [] for one in credit_note_ids}
    for row in rows:
        found[row["credit_note_id"]].append((row["line"], row["amount_minor"]))
    return found


async def add(unit: Unit, row: CreditNoteRow, lines: Sequence[tuple[int, int]]) -> None:
    """Write a credit note and its lines."""
    unit.session.add(row)
    await unit.session.flush()
    await unit.connection.execute(
        "INSERT INTO credit_note_lines (credit_note_id, line, account_id, amount_minor)"
        " SELECT $1, line, $2, amount FROM unnest($3::int[], $4::bigint[]) AS n (line, amount)",
        row.id,
        row.account_id,
        *columns(lines, 2),
    )


async def allocations_on(unit: Unit, invoice_id: UUID) -> list[Allocation]:
    """What pays an invoice, oldest payment first."""
    rows = await unit.connection.fetch(
        "SELECT a.payment_id, a.invoice_id, a.line, a.amount_minor, a.is_recovery"
        " FROM allocations a JOIN payments p ON p.id = a.payment_id"
        " WHERE a.invoice_id = $1 AND a.reversed_at IS NULL ORDER BY p.received_at, p.id, a.allocated_at, a.id",
        invoice_id,
    )
    return [Allocation(*row) for row in rows]


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
SELECT g.account_id, f.payment_id, f.invoice_id, f.line, sum(g.amount_minor)::bigint - f.amount AS rest, f.is_recovery
FROM freed f JOIN gone g USING (payment_id, invoice_id, line, is_recovery)
GROUP BY g.account_id, f.payment_id, f.invoice_id, f.line, f.is_recovery, f.amount
"""
_KEEP = """
INSERT INTO allocations (id, account_id, payment_id, invoice_id, line, amount_minor, is_recovery, allocated_at)
SELECT *, $8 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::bigint[], $7::bool[])
"""


async def free(unit: Unit, freed: Iterable[Allocation]) -> None:
    """What had paid these amounts is unapplied cash again; what is left of each allocation goes on paying."""
    parts = [(one.payment_id, one.invoice_id, one.line, one.is_recovery, one.amount) for one in freed]
    if not parts:
        return
    rests = await unit.connection.fetch(_FREE, *columns(parts, 5), unit.now)
    await unit.connection.execute(_KEEP, *columns([(new_id(), *one) for one in rests if one["rest"]], 7), unit.now)


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


async def take_from_unearned(
    unit: Unit, account_id: UUID, invoice_id: UUID, shares: Iterable[tuple[int, Share]]
) -> int:
    """Take what is credited of lines billed in advance from what is not earned of them yet; how much that is."""
    unearned = {row["line"]: row for row in await unit.connection.fetch(_UNEARNED, invoice_id)}
    taken = [
        (unearned[line]["id"], min(share.amount - share.tax, unearned[line]["unearned_minor"]))
        for line, share in shares
        if line in unearned
    ]
    taken = [(charge_id, amount) for charge_id, amount in taken if amount > 0]
    if taken:
        await unit.connection.execute(_NEVER_EARNED, account_id, *columns(taken, 2))
    return sum(amount for _, amount in taken)


async def tolerated(unit: Unit) -> dict[tuple[str, str], int]:
    """What a payment may leave open of an invoice and still settle it, by legal entity and currency; minor units."""
    rows = await unit.connection.fetch("SELECT legal_entity, currency, amount_minor FROM tolerances")
    return {(legal_entity, currency): amount for legal_entity, currency, amount in rows}


async def tolerances(unit: Unit) -> list[asyncpg.Record]:
    """All tolerances, in the order of entity and currency."""
    rows: list[asyncpg.Record] = await unit.connection.fetch(
        "SELECT legal_entity, currency, amount_minor, set_by, reason, set_at FROM tolerances ORDER BY 1, 2"
    )
    return rows


async def find_tolerance(unit: Unit, legal_entity: str, currency: str) -> asyncpg.Record | None:
    """Find what a payment may leave open (amount_minor) and why (reason)."""
    return await unit.connection.fetchrow(_FIND_TOLERANCE, legal_entity, currency)


_FIND_TOLERANCE = "SELECT amount_minor, reason FROM tolerances WHERE (legal_entity, currency) = ($1, $2)"
_SET_TOLERANCE = """
INSERT INTO tolerances (legal_entity, currency, amount_minor, set_by, reason, set_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (legal_entity, currency) DO UPDATE
SET amount_minor = excluded.amount_minor, set_by = excluded.set_by, reason = excluded.reason, set_at = excluded.set_at
"""


async def set_tolerance(
    unit: Unit, legal_entity: str, currency: str, amount_minor: int, actor: str, reason: str
) -> None:
    """Say what a payment may leave open."""
    await unit.connection.execute(_SET_TOLERANCE, legal_entity, currency, amount_minor, actor, reason, unit.now)
