"""Knowledge of one account's payments: until when statements tell of them, and what nobody has decided yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import col, select

from services.invoicing.bank.tables import BankAccountRow
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.pure.errors import NotFound

# A statement says what was paid until the end of its closing date, but no later than when we got it.
_NOTE = """
INSERT INTO bank_accounts (bank_account, closing_date, known_until, is_closed)
SELECT bank_account, closing_date, least($1, (closing_date + 1)::timestamp AT TIME ZONE 'UTC'), false
FROM unnest($2::text[], $3::date[]) AS told (bank_account, closing_date)
ON CONFLICT (bank_account) DO UPDATE SET closing_date = greatest(bank_accounts.closing_date, excluded.closing_date),
    known_until = excluded.known_until, is_closed = false, closed_by = NULL, reason = NULL, closed_at = NULL
WHERE bank_accounts.known_until < excluded.known_until
"""
# A customer may have paid into any of them, so the one that we know least of decides.
_KNOWN_UNTIL = "SELECT min(known_until) FROM bank_accounts WHERE NOT is_closed"

# Certain ones are proposals too, and count until they are booked. Of two that owe the same, either may have paid.
_IN_QUESTION = """
WITH opened AS (
    SELECT i.currency, s.open_minor FROM invoice_states s JOIN invoices i ON i.id = s.invoice_id
    WHERE s.account_id = $1 AND s.open_minor > 0
), amounts AS (
    SELECT currency, open_minor FROM opened
    UNION SELECT currency, sum(open_minor) FROM opened GROUP BY currency
)
SELECT e.id FROM bank_entries e
WHERE e.state IN ('certain', 'unmatched') AND e.kind IN ('receipt', 'collective') AND (
    EXISTS (SELECT FROM bank_proposals p WHERE p.entry_id = e.id AND p.account_id = $1)
    OR (e.currency, e.amount_minor) IN (SELECT currency, open_minor FROM amounts)
)
ORDER BY e.id LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class BankKnowledge:
    """Until when we know what was paid (None: no statement yet), and receipts that may be the account's."""

    known_until: datetime | None
    undecided_entries: list[UUID]


async def save_bank_statement_closings(unit: Unit, closings: Mapping[str, date]) -> None:
    """Statements of these bank accounts of ours came in that close on these days; older ones say nothing new."""
    await unit.connection.execute(_NOTE, unit.now, *split_into_columns(closings.items(), 2))


async def list_bank_account_rows(unit: Unit) -> Sequence[BankAccountRow]:
    """Our bank accounts of which statements came, in order."""
    return (await unit.session.exec(select(BankAccountRow).order_by(col(BankAccountRow.bank_account)))).all()


async def get_bank_account(unit: Unit, number: str) -> BankAccountRow:
    """A bank account of ours. Raises NotFound."""
    row = await unit.session.get(BankAccountRow, number, populate_existing=True)
    if row is None:
        raise NotFound(f"no statement of a bank account {number} was imported")
    return row


async def find_payments_known_until(unit: Unit) -> datetime | None:
    """Until when the payments into all our bank accounts are known; None without any statement."""
    until: datetime | None = await unit.connection.fetchval(_KNOWN_UNTIL)
    return until


async def get_account_bank_knowledge(unit: Unit, account_id: UUID) -> BankKnowledge:
    """Read what is known now; the first 20 entries in question."""
    rows = await unit.connection.fetch(_IN_QUESTION, account_id)
    return BankKnowledge(await find_payments_known_until(unit), [row["id"] for row in rows])
