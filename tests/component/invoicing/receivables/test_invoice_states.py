"""Lists say the state of an invoice, and find by it, as the domain does."""

from datetime import UTC, datetime

from services.invoicing.receivables.domain.invoice_states import InvoiceState, compute_invoice_state
from services.invoicing.receivables.repository.invoice_search import COMPUTE_INVOICE_STATE, STATE_CONDITIONS
from tests.builders import Database

OPEN_AND_OVERDUE = [
    (open_minor, overdue_at) for open_minor in (0, 1, 10**12) for overdue_at in (None, datetime(2026, 3, 2, tzinfo=UTC))
]


async def test_a_state_is_the_one_of_the_domain(database: Database) -> None:
    matches = ", ".join(f"{STATE_CONDITIONS[state]} AS {state}" for state in InvoiceState)
    rows = await database.rows(
        f"SELECT {COMPUTE_INVOICE_STATE} AS state, {matches} FROM unnest($1::bigint[], $2::timestamptz[])"
        " WITH ORDINALITY AS s (open_minor, overdue_at, place) ORDER BY place",
        *zip(*OPEN_AND_OVERDUE, strict=True),
    )
    states = [compute_invoice_state(open_minor, overdue_at) for open_minor, overdue_at in OPEN_AND_OVERDUE]
    assert [row["state"] for row in rows] == states
    assert [[name for name in InvoiceState if row[name]] for row in rows] == [[state] for state in states]
    assert {*STATE_CONDITIONS} == {*InvoiceState} == {*states}
