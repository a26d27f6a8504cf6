"""The ledger: entries are added, never changed; a trigger refuses what does not balance."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from services.invoicing.accounts.repository.account_queries import Account
from services.invoicing.ledger.domain import Entries
from shared.persistence.database import Unit, columns
from shared.pure.calendar import local_date

_POST = """
INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,
    event_sequence, posted_on, posted_at)
SELECT legal_entity, code, currency, amount, account_id, document, document_id, sequence, posted_on, $1
FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::text[], $8::uuid[], $9::bigint[],
    $10::date[]) AS side (legal_entity, code, currency, amount, account_id, document, document_id, sequence, posted_on)
"""


@dataclass(frozen=True, slots=True)
class Document:
    """What a posting stands for: the kind of document and its id, and the sequence of the event that told of it.

    A document without a `day` has the date on which it is recorded, in the account's zone.
    """

    kind: str
    id: UUID
    sequence: int
    day: date | None = None


Posting = tuple[Account, Document, Entries]


async def post(unit: Unit, account: Account, document: Document, entries: Entries) -> None:
    """Post both sides of a fact of an account, on the date of its document."""
    await post_many(unit, [(account, document, entries)])


async def post_many(unit: Unit, postings: Iterable[Posting]) -> None:
    """Post both sides of each of these facts, each on the date of its document."""
    rows = list(sides(postings, unit.now))
    if rows:
        await unit.connection.execute(_POST, unit.now, *columns(rows, 9))


def sides(postings: Iterable[Posting], now: datetime) -> Iterator[tuple[object, ...]]:
    """The entries of these postings: entity, code, currency, amount, account, document, its id, sequence, date."""
    for account, document, entries in postings:
        posted_on = document.day or local_date(now, ZoneInfo(account.time_zone))
        for code, amount in entries.items():
            if amount:
                yield (
                    account.legal_entity,
                    str(code),
                    account.currency,
                    amount,
                    account.id,
                    document.kind,
                    document.id,
                    document.sequence,
                    posted_on,
                )


_BALANCE = """
SELECT c.code, c.name, c.kind, e.currency, sum(e.amount_minor) AS balance_minor
FROM ledger_entries e JOIN ledger_accounts c USING (code)
WHERE e.legal_entity = $1 AND e.posted_at <= $2
GROUP BY c.code, c.name, c.kind, e.currency ORDER BY e.currency, c.code
"""


async def trial_balance(unit: Unit, legal_entity: str, at: object) -> list[asyncpg.Record]:
    """What each account of the ledger comes to at an instant, by currency; each currency adds up to 0."""
    return await unit.connection.fetch(_BALANCE, legal_entity, at)  # type: ignore[no-any-return]


_JOURNAL = """
SELECT id, posted_on, posted_at, legal_entity, code, currency, amount_minor, account_id, document, document_id,
    event_sequence
FROM ledger_entries WHERE legal_entity = $1 AND posted_on = $2 AND id > $3 ORDER BY id LIMIT $4
"""


async def journal(unit: Unit, legal_entity: str, day: date, after: int, limit: int) -> Sequence[asyncpg.Record]:
    """The entries of documents of a day in the order of their ids, after one."""
    return await unit.connection.fetch(_JOURNAL, legal_entity, day, after, limit)  # type: ignore[no-any-return]


_TAX_OF = "SELECT line, amount_minor, tax_minor FROM invoice_lines WHERE invoice_id = $1"


async def amounts_and_tax(unit: Unit, invoice_id: UUID) -> dict[int, tuple[int, int]]:
    """The amount of each line of an invoice, and the tax in it."""
    rows = await unit.connection.fetch(_TAX_OF, invoice_id)
    return {row["line"]: (row["amount_minor"], row["tax_minor"]) for row in rows}


_RELEASABLE = """
WITH parts AS (
    SELECT c.id, c.account_id, l.net_minor - coalesce(k.amount_minor, 0) AS net_minor, c.period_from, c.period_to,
        a.legal_entity, a.currency,
        least(c.period_to, $2::date) - c.period_from AS days, c.period_to - c.period_from AS whole, c.released_minor
    FROM charges c
    JOIN invoice_lines l ON l.invoice_id = c.invoice_id AND l.charge_id = c.id
    JOIN accounts a ON a.id = c.account_id
    LEFT JOIN charge_credits k ON k.charge_id = c.id
    WHERE a.legal_entity = $1 AND c.is_deferred AND c.period_from < $2
        AND c.released_minor <> l.net_minor - coalesce(k.amount_minor, 0)
), due AS (
    SELECT *, trunc(net_minor::numeric * days / whole)::bigint - released_minor AS amount FROM parts
), released AS (
    UPDATE charges c SET released_minor = c.released_minor + due.amount FROM due WHERE c.id = due.id AND due.amount <> 0
    RETURNING c.id
)
INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,
    event_sequence, posted_on, posted_at)
SELECT due.legal_entity, side.code, due.currency, side.sign * sum(due.amount), due.account_id, 'release', $3,
    s.sequence, $2::date - 1, $4
FROM due JOIN streams s ON s.subject = due.account_id::text,
    (VALUES ('deferred_revenue', 1), ('revenue', -1)) AS side (code, sign)
GROUP BY due.legal_entity, side.code, side.sign, due.currency, due.account_id, s.sequence HAVING sum(due.amount) <> 0
ORDER BY due.account_id, due.currency, side.sign DESC
"""


async def release(unit: Unit, legal_entity: str, until: date, document_id: UUID) -> None:
    """Release what was billed in advance and is earned by a day (exclusive), by days: posted on the day before."""
    await unit.connection.execute(_RELEASABLE, legal_entity, until, document_id, unit.now)


async def close(unit: Unit, legal_entity: str, month: date, actor: str, reason: str) -> None:
    """Close a month that is open, and with it those before it."""
    await unit.connection.execute(
        "INSERT INTO ledger_periods (legal_entity, month, closed_by, reason, closed_at) VALUES ($1, $2, $3, $4, $5)",
        legal_entity,
        month,
        actor,
        reason,
        unit.now,
    )


async def is_closed(unit: Unit, legal_entity: str, day: date) -> bool:
    """Say whether the month of a day is closed, by itself or with a later one."""
    return bool(
        await unit.connection.fetchval(
            "SELECT EXISTS (SELECT FROM ledger_periods WHERE legal_entity = $1"
            " AND month >= date_trunc('month', $2::date)::date)",
            legal_entity,
            day,
        )
    )
