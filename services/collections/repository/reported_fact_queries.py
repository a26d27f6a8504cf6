"""Facts that invoicing reports: accounts, balances of invoices, and that invoices are overdue."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import orjson

from shared.events import values
from shared.persistence.bulk_rows import Jsonb, RowParameters, split_into_columns
from shared.persistence.database import Unit


async def save_account_copies(unit: Unit, accounts: Iterable[tuple[UUID, str, str]]) -> None:
    """Keep what collections needs of accounts: id, legal entity, time zone."""
    await unit.connection.execute(
        "INSERT INTO accounts (account_id, legal_entity, time_zone, registered_at)"
        " SELECT *, $1 FROM unnest($2::uuid[], $3::text[], $4::text[])"
        " ON CONFLICT (account_id) DO UPDATE SET legal_entity = excluded.legal_entity",
        unit.now,
        *split_into_columns(accounts, 3),
    )


class ReportedInvoiceBalance(NamedTuple):
    """A balance that was heard or asked for; its lines are JSON."""

    invoice_id: UUID
    account_id: UUID
    number: str
    currency: str
    due_date: date
    sequence: int
    at: datetime
    open_minor: int
    lines: Jsonb
    event_id: str | None


_BALANCES = RowParameters(ReportedInvoiceBalance)
_SAVE_BALANCES = f"""
WITH told AS (
    SELECT * FROM unnest({_BALANCES.typed_arrays}) AS told ({_BALANCES.columns})
), known AS (
    INSERT INTO items (invoice_id, account_id, number, currency, due_date, recorded_at, open_minor, sequence)
    SELECT DISTINCT ON (invoice_id) invoice_id, account_id, number, currency, due_date,
        min(at) OVER (PARTITION BY invoice_id), open_minor, sequence
    FROM told ORDER BY invoice_id, sequence DESC
    ON CONFLICT (invoice_id) DO UPDATE SET
        recorded_at = least(items.recorded_at, excluded.recorded_at),
        open_minor = CASE WHEN excluded.sequence > items.sequence THEN excluded.open_minor ELSE items.open_minor END,
        sequence = greatest(items.sequence, excluded.sequence)
)
INSERT INTO balances (invoice_id, sequence, account_id, at, lines, event_id)
SELECT invoice_id, sequence, account_id, at, lines, event_id FROM told
ON CONFLICT DO NOTHING
"""


async def save_invoice_balances(unit: Unit, balances: Sequence[ReportedInvoiceBalance]) -> None:
    """Keep balances; of one invoice, that with the highest sequence is the last word, in whatever order they come."""
    await unit.connection.execute(_SAVE_BALANCES, *_BALANCES.split_columns(balances))


def render_balance_lines(lines: Iterable[values.LineBalance]) -> str:
    """Render the lines of a balance as JSON."""
    return orjson.dumps([line.model_dump(mode="json") for line in lines]).decode()


async def save_overdue_judgements(unit: Unit, overdues: Iterable[tuple[UUID, int, UUID, datetime, str]]) -> None:
    """Keep invoicing's judgements that invoices are overdue: invoice, sequence, account, instant, event."""
    await unit.connection.execute(
        "INSERT INTO overdues (invoice_id, sequence, account_id, judged_at, event_id)"
        " SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::timestamptz[], $5::text[])"
        " ON CONFLICT DO NOTHING",
        *split_into_columns(overdues, 5),
    )
