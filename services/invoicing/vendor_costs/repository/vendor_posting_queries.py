"""Ledger entries of what the vendor bills and is paid; most of them belong to no account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoicing.accounts.repository import legal_entity_queries
from services.invoicing.ledger.domain import Entries
from shared.persistence.database import Unit, split_into_columns


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


_POST = """
INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,
    event_sequence, posted_on, posted_at)
SELECT legal_entity, code, currency, amount, account_id, document, document_id, sequence,
    greatest(day, closed.open_from), $1
FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::text[], $8::uuid[], $9::bigint[],
    $10::date[]) WITH ORDINALITY
    AS side (legal_entity, code, currency, amount, account_id, document, document_id, sequence, day, place)
LEFT JOIN (
    SELECT legal_entity, (max(month) + interval '1 month')::date AS open_from FROM ledger_periods GROUP BY legal_entity
) AS closed USING (legal_entity)
ORDER BY place
"""


async def insert_vendor_postings(unit: Unit, postings: Sequence[VendorPosting]) -> None:
    """Post each fact on its day or, where its month is closed, on the first day of the first open month."""
    rows = [
        (
            posting.legal_entity,
            str(code),
            posting.currency,
            amount,
            posting.account_id,
            posting.document,
            posting.document_id,
            posting.sequence,
            posting.day,
        )
        for posting in postings
        for code, amount in posting.entries.items()
        if amount
    ]
    if rows:
        await legal_entity_queries.keep_entity_months_open(unit, *(posting.legal_entity for posting in postings))
        await unit.connection.execute(_POST, unit.now, *split_into_columns(rows, 9))
