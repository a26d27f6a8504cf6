"""The ledger: entries are added, never changed; a trigger refuses what does not balance."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.ledger.domain import Entries
from shared.persistence.bulk_rows import RowParameters
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date


class LedgerEntry(NamedTuple):
    """One side of a posting, in minor units; `sequence` is that of the event that told of the document."""

    legal_entity: str
    code: str
    currency: str
    amount: int
    account_id: UUID | None
    document: str
    document_id: UUID
    sequence: int
    posted_on: date


def build_ledger_entry_insert(entries: RowParameters[LedgerEntry]) -> str:
    """Build the statement, or the part of one, that posts entries at the time $1."""
    return f"""
INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,
    event_sequence, posted_on, posted_at)
SELECT {entries.columns}, $1 FROM unnest({entries.typed_arrays}) AS side ({entries.columns})
"""


_ENTRIES = RowParameters(LedgerEntry, first=2)
_POST = build_ledger_entry_insert(_ENTRIES)


@dataclass(frozen=True, slots=True)
class LedgerDocument:
    """Document that a posting stands for: its kind and id, and the sequence of the event that told of it.

    A document without a `day` has the date on which it is recorded, in the account's zone.
    """

    kind: str
    id: UUID
    sequence: int
    day: date | None = None


Posting = tuple[LockedAccount, LedgerDocument, Entries]


async def post_ledger_entries(unit: Unit, account: LockedAccount, document: LedgerDocument, entries: Entries) -> None:
    """Post both sides of a fact of an account, on the date of its document."""
    await post_documents_of_accounts(unit, [(account, document, entries)])


async def post_documents_of_accounts(unit: Unit, postings: Iterable[Posting]) -> None:
    """Post both sides of each of these facts, each on the date of its document."""
    entries = list(list_ledger_entries(postings, unit.now))
    if entries:
        await unit.connection.execute(_POST, unit.now, *_ENTRIES.split_columns(entries))


def list_ledger_entries(postings: Iterable[Posting], now: datetime) -> Iterator[LedgerEntry]:
    """List the entries of these postings."""
    for account, document, entries in postings:
        posted_on = document.day or get_local_date(now, ZoneInfo(account.time_zone))
        for code, amount in entries.items():
            if amount:
                yield LedgerEntry(
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


async def compute_trial_balance(unit: Unit, legal_entity: str, at: object) -> list[asyncpg.Record]:
    """Sum each account of the ledger at an instant, by currency; each currency adds up to 0."""
    return await unit.connection.fetch(_BALANCE, legal_entity, at)  # type: ignore[no-any-return]


_JOURNAL = """
SELECT id, posted_on, posted_at, legal_entity, code, currency, amount_minor, account_id, document, document_id,
    event_sequence
FROM ledger_entries WHERE legal_entity = $1 AND posted_on = $2 AND id > $3 ORDER BY id LIMIT $4
"""


async def list_journal_entries(
    unit: Unit, legal_entity: str, day: date, after: int, limit: int
) -> Sequence[asyncpg.Record]:
    """The entries of documents of a day in the order of their ids, after one."""
    return await unit.connection.fetch(_JOURNAL, legal_entity, day, after, limit)  # type: ignore[no-any-return]
