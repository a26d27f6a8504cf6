"""Statements over many lines say what is open, disputed and creditable of each as the domain does."""

from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.invoicing.adjustments.domain.adjustment_rules import compute_line_creditable_minor
from services.invoicing.billing.repository.proration_credit_queries import COMPUTE_LINE_CREDITABLE_MINOR
from services.invoicing.receivables.domain.invoice_balances import InvoiceLine
from services.invoicing.receivables.repository.line_amounts import (
    BALANCES_WITH_OPEN_MINOR,
    COMPUTE_DISPUTED_MINOR,
    COMPUTE_OPEN_MINOR,
)
from tests.builders import Database
from tests.component.shadow_tables import hide_tables, insert_rows

AMOUNTS = st.one_of(st.integers(0, 9), st.integers(0, 10**12))
LINES = st.builds(InvoiceLine, st.just(0), st.none(), *[AMOUNTS] * 7)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, min_size=1, max_size=30))
async def test_amounts_of_a_line_are_those_of_the_domain(database: Database, lines: list[InvoiceLine]) -> None:
    async with database.connected("invoicing") as connection, connection.transaction():
        await hide_tables(connection, ["line_balances"])
        await insert_rows(
            connection,
            "line_balances",
            [
                {
                    "invoice_id": UUID(int=1),
                    "line": number,
                    "amount_minor": line.amount,
                    "paid_minor": line.paid,
                    "credited_minor": line.credited,
                    "reserved_minor": line.reserved,
                    "in_flight_minor": line.in_flight,
                    "written_off_minor": line.written_off,
                    "charged_back_minor": line.charged_back,
                }
                for number, line in enumerate(lines, 1)
            ],
        )
        rows = await connection.fetch(
            f"SELECT open_minor, {COMPUTE_OPEN_MINOR.format('b.')} AS open_again, {COMPUTE_DISPUTED_MINOR} AS disputed,"
            f" {COMPUTE_LINE_CREDITABLE_MINOR} AS creditable FROM {BALANCES_WITH_OPEN_MINOR} b ORDER BY line"
        )
    assert [tuple(row) for row in rows] == [
        (line.open_minor, line.open_minor, line.disputed_minor, compute_line_creditable_minor(line)) for line in lines
    ]
