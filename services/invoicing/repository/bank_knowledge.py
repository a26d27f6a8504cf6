"""What the bank's statements tell about one account: until when they do, and what nobody has decided yet."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database import Unit

# A statement says what was paid until the end of its closing date, but no later than when we got it.
_KNOWN_UNTIL = """
SELECT max(least(imported_at, (closing_date + 1)::timestamp AT TIME ZONE 'UTC')) FROM bank_imports
"""

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
    entries_in_question: list[UUID]


async def of_account(unit: Unit, account_id: UUID) -> BankKnowledge:
    """What is known now; the first 20 entries in question."""
    known_until = await unit.connection.fetchval(_KNOWN_UNTIL)
    rows = await unit.connection.fetch(_IN_QUESTION, account_id)
    return BankKnowledge(known_until, [row["id"] for row in rows])
