"""Ledger entries of what the vendor bills and is paid; most of them belong to no account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoicing.accounts.repository import legal_entity_queries
from services.invoicing.ledger.domain import Entries
from services.invoicing.ledger.repository.ledger_queries import LedgerEntry
from shared.persistence.bulk_rows import RowParameters
from shared.persistence.database import Unit


@dataclass(frozen=True, slots=True)
class VendorPosting:
    """A fact between the vendor and a legal entity, with its entries in minor units of a currency.

    `day` is the date of the document, `sequence` that of the event that announced the fact.
    """

    legal_entity: str
    currency: str
    document: str
    document_id: UUID
    sequence: int
    day: date
    entries: Entries
    account_id: UUID | None = None


_ENTRIES = RowParameters(LedgerEntry, first=2)
FIND_OPEN_POSTING_DAY = "greatest(posted_on, closed.open_from)"
"""`find_open_posting_day` of the domain of revenue, after `JOIN_OPEN_MONTHS`."""
JOIN_OPEN_MONTHS = """LEFT JOIN (
    SELECT legal_entity, (max(month) + interval '1 month')::date AS open_from FROM ledger_periods GROUP BY legal_entity
) AS closed USING (legal_entity)"""
"""The first day of the first open month of each legal entity that has closed one."""
_POST = f"""
INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,
    event_sequence, posted_on, posted_at)
SELECT legal_entity, code, currency, amount, account_id, document, document_id, sequence,
    {FIND_OPEN_POSTING_DAY}, $1
FROM unnest({_ENTRIES.typed_arrays}) WITH ORDINALITY AS side ({_ENTRIES.columns}, place)
{JOIN_OPEN_MONTHS}
ORDER BY place
"""


async def insert_vendor_postings(unit: Unit, postings: Sequence[VendorPosting]) -> None:
    """Post each fact on its day or, where its month is closed, on the first day of the first open month."""
    entries = [
        LedgerEntry(
            legal_entity=posting.legal_entity,
            code=str(code),
            currency=posting.currency,
            amount=amount,
            account_id=posting.account_id,
            document=posting.document,
            document_id=posting.document_id,
            sequence=posting.sequence,
            posted_on=posting.day,
        )
        for posting in postings
        for code, amount in posting.entries.items()
        if amount
    ]
    if entries:
        await legal_entity_queries.keep_entity_months_open(unit, *(posting.legal_entity for posting in postings))
        await unit.connection.execute(_POST, unit.now, *_ENTRIES.split_columns(entries))
