"""Balances that invoicing published, as tests read them from the outbox."""

import asyncpg

from tests.builders import Database

_REPEATED = """
SELECT headers::jsonb ->> 'ce_causationid' AS cause_id, data::jsonb -> 'balance' ->> 'invoice_id' AS invoice_id
FROM invoicing.outbox WHERE type LIKE '%.InvoiceBalanceChanged.v1'
GROUP BY 1, 2 HAVING count(*) > 1
"""


async def find_repeated_balances(database: Database) -> list[asyncpg.Record]:
    """Find the requests that published the balance of an invoice more than once."""
    return await database.rows(_REPEATED)
