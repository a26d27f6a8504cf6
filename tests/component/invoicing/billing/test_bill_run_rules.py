"""Statements of a bill run do for a chunk of invoices what the domain says of each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.invoicing.billing.domain.billed_lines import (
    SignedLine,
    compute_added_taxes,
    compute_collectable_minor,
    compute_lowered_tax,
)
from services.invoicing.billing.domain.tax_by_rate import RatedAmount
from services.invoicing.billing.repository.bill_chunk import TEMPORARY_TABLES
from services.invoicing.billing.repository.chunk_drafting_statements import (
    COMPUTE_ADDED_TAX,
    COMPUTE_COLLECTABLE_MINOR,
    COMPUTE_LOWERED_TAX,
    START_COLLECTABLE_MINOR,
    SUM_NETS_BY_RATE,
)
from services.invoicing.billing.repository.chunk_issuing_statements import (
    BUILD_BILLED_INVOICE_ENTRIES,
    BUILD_INVOICE_ISSUED,
    FORMAT_DOCUMENT_NUMBER,
    SCHEDULE_INVOICE_OVERDUE_CHECK,
)
from services.invoicing.ledger.domain import BilledLine, build_billed_invoice_entries
from services.invoicing.receivables.domain.document_numbers import format_document_number
from services.invoicing.receivables.domain.invoice_balances import Invoice, InvoiceLine
from services.invoicing.receivables.domain.overdue_rules import schedule_invoice_overdue_check
from services.invoicing.receivables.use_cases.balance_updates import build_invoice_issued
from shared.events.invoicing import InvoiceIssued
from shared.pure.calendar import get_local_date
from tests.builders import Database

SUBSCRIPTIONS = [UUID(int=number) for number in range(1, 4)]
ZONES = ["UTC", "Europe/Berlin", "America/Havana", "America/Santiago", "Atlantic/Azores", "Pacific/Kiritimati"]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MOST = 10**12
EACH = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Line:
    """A line as a bill run draws it up."""

    subscription_id: UUID
    net: int
    rate_bp: int | None
    is_deferred: bool


LINES = st.builds(
    Line,
    st.sampled_from(SUBSCRIPTIONS),
    st.one_of(st.integers(-300, 300), st.integers(-MOST, MOST)).filter(bool),
    st.sampled_from([None, 0, 1, 700, 1900, 2000, 2550]),
    st.booleans(),
)
INVOICES = st.lists(st.lists(LINES, min_size=1, max_size=8), min_size=1, max_size=12)
HALVES = [[Line(SUBSCRIPTIONS[0], net, 1900, True) for net in (150, -300)], [Line(SUBSCRIPTIONS[1], 300, 2550, True)]]
"""Sums whose tax lies halfway between two minor units: 28.50, its negative, and 76.50."""
GIVEN_BACK = [[Line(SUBSCRIPTIONS[place], net, None, True) for place, net in ((0, 10), (1, 20), (0, -25), (1, 7))]]
"""More is given back to a subscription than it pays."""


@asynccontextmanager
async def stage(database: Database, invoices: list[list[Line]]) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose temporary tables have invoices with their lines and taxes, each of an account of its own."""
    async with database.connected("invoicing") as connection, connection.transaction():
        await connection.execute(TEMPORARY_TABLES)
        for number, lines in enumerate(invoices, 1):
            taxes = compute_added_taxes([RatedAmount(line.net, line.rate_bp) for line in lines])
            invoice_id, account_id = UUID(int=number), UUID(int=1000 + number)
            await connection.execute(
                "INSERT INTO bill_invoices (account_id, invoice_id, currency, issue_date, due_date, number,"
                " total_minor) VALUES ($1, $2, 'EUR', '2026-03-02', '2026-04-01', $3, $4)",
                account_id,
                invoice_id,
                format_document_number("GS-DE", "invoice", number),
                sum(line.net for line in lines) + sum(taxes),
            )
            await connection.executemany(
                "INSERT INTO bill_lines (invoice_id, line, account_id, subscription_id, is_deferred, net_minor,"
                " tax_minor, tax_rate_bp) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                [
                    (invoice_id, place, account_id, line.subscription_id, line.is_deferred, line.net, tax, line.rate_bp)
                    for place, (line, tax) in enumerate(zip(lines, taxes, strict=True), 1)
                ],
            )
        await connection.execute(START_COLLECTABLE_MINOR)
        await connection.execute(COMPUTE_COLLECTABLE_MINOR)
        yield connection


@EACH
@example(invoices=HALVES)
@given(invoices=INVOICES)
async def test_tax_is_added_as_the_domain_adds_it(database: Database, invoices: list[list[Line]]) -> None:
    rows = [(number, place, line) for number, lines in enumerate(invoices) for place, line in enumerate(lines)]
    added = await database.rows(
        "WITH numbered AS (SELECT * FROM unnest($1::int[], $2::int[], $3::bigint[], $4::int[])"
        f" AS numbered (invoice_id, line, net, rate)), summed AS ({SUM_NETS_BY_RATE})"
        f" SELECT {COMPUTE_ADDED_TAX} AS tax FROM summed ORDER BY invoice_id, line",
        [number for number, _, _ in rows],
        [place for _, place, _ in rows],
        [line.net for _, _, line in rows],
        [line.rate_bp for _, _, line in rows],
    )
    assert [row["tax"] for row in added] == [
        tax
        for lines in invoices
        for tax in compute_added_taxes([RatedAmount(line.net, line.rate_bp) for line in lines])
    ]


REVERSALS = st.integers(1, MOST).flatmap(
    lambda net: st.tuples(st.integers(0, net), st.just(net), st.integers(0, net)).map(
        lambda line: (-line[0], -line[1], line[2])
    )
)
"""Tax and net of a line that gives back, and by how much its net is lowered."""


@EACH
@example(reversals=[(-1, -2, 1), (-3, -2, 1), (-500_000_000_001, -(10**12), 1)])
@given(reversals=st.lists(REVERSALS, min_size=1, max_size=30))
async def test_the_tax_of_a_lowered_reversal_is_what_the_domain_says(
    database: Database, reversals: list[tuple[int, int, int]]
) -> None:
    rows = await database.rows(
        f"SELECT {COMPUTE_LOWERED_TAX} AS tax FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])"
        " WITH ORDINALITY AS l (tax_minor, net_minor, amount, place) CROSS JOIN LATERAL (SELECT l.amount) n"
        " ORDER BY place",
        *(list(column) for column in zip(*reversals, strict=True)),
    )
    assert [row["tax"] for row in rows] == [
        compute_lowered_tax(tax, net, net + amount) for tax, net, amount in reversals
    ]


@EACH
@example(invoices=GIVEN_BACK)
@given(invoices=INVOICES)
async def test_what_is_to_be_paid_of_a_line_is_what_the_domain_says(
    database: Database, invoices: list[list[Line]]
) -> None:
    async with stage(database, invoices) as connection:
        rows = await connection.fetch("SELECT * FROM bill_lines ORDER BY invoice_id, line")
    for number, lines in enumerate(invoices, 1):
        own = [row for row in rows if row["invoice_id"] == UUID(int=number)]
        signed = [SignedLine(row["subscription_id"], row["net_minor"] + row["tax_minor"]) for row in own]
        payable = [row["collectable_minor"] for row in own]
        assert payable == compute_collectable_minor(signed)
        assert sum(payable) == max(0, sum(line.amount_minor for line in signed))
        assert len(own) == len(lines)


@EACH
@example(invoices=HALVES)
@given(invoices=INVOICES)
async def test_an_invoice_is_posted_as_the_ledger_says(database: Database, invoices: list[list[Line]]) -> None:
    async with stage(database, invoices) as connection:
        posted = await connection.fetch(
            f"SELECT invoice_id, side.code, side.amount FROM bill_invoices b {BUILD_BILLED_INVOICE_ENTRIES}"
        )
        rows = await connection.fetch("SELECT * FROM bill_lines")
    for number in range(1, len(invoices) + 1):
        own = [row for row in rows if row["invoice_id"] == UUID(int=number)]
        entries = build_billed_invoice_entries(
            BilledLine(row["net_minor"], row["tax_minor"], row["is_deferred"]) for row in own
        )
        assert sum(entries.values()) == 0
        assert {row["code"]: row["amount"] for row in posted if row["invoice_id"] == UUID(int=number)} == {
            code: amount for code, amount in entries.items() if amount
        }


@EACH
@given(invoices=INVOICES)
async def test_an_invoice_is_announced_as_one_by_hand_is(database: Database, invoices: list[list[Line]]) -> None:
    async with stage(database, invoices) as connection:
        announced = await connection.fetch(BUILD_INVOICE_ISSUED)
        rows = await connection.fetch("SELECT * FROM bill_lines ORDER BY line")
    payloads: dict[UUID, dict[str, Any]] = {UUID(row["subject"]): orjson.loads(row["data"]) for row in announced}
    for number in range(1, len(invoices) + 1):
        payable = [
            row for row in rows if row["invoice_id"] == UUID(int=number) and row["net_minor"] + row["tax_minor"] > 0
        ]
        if sum(row["net_minor"] + row["tax_minor"] for row in rows if row["invoice_id"] == UUID(int=number)) <= 0:
            continue  # no invoice comes of it
        invoice = Invoice(
            UUID(int=number),
            UUID(int=1000 + number),
            format_document_number("GS-DE", "invoice", number),
            "EUR",
            date(2026, 4, 1),
            tuple(InvoiceLine(row["line"], row["subscription_id"], row["collectable_minor"]) for row in payable),
        )
        issued = build_invoice_issued(invoice, date(2026, 3, 2), None)
        payload = payloads[UUID(int=1000 + number)]
        assert InvoiceIssued.model_validate(payload) == issued
        assert payload == orjson.loads(issued.model_dump_json())


@EACH
@example(asked=[("America/Havana", datetime(2026, 10, 30, 12, tzinfo=UTC), 1)])
@example(asked=[("Atlantic/Azores", datetime(2026, 10, 24, 12, tzinfo=UTC), 0)])
@example(asked=[("America/Santiago", datetime(2026, 9, 5, 12, tzinfo=UTC), 0)])
@given(
    asked=st.lists(
        st.tuples(
            st.sampled_from(ZONES),
            st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes)),
            st.integers(0, 90),
        ),
        min_size=1,
        max_size=100,
    )
)
async def test_an_invoice_is_judged_first_when_the_domain_says(
    database: Database, asked: list[tuple[str, datetime, int]]
) -> None:
    due_dates = [get_local_date(now, ZoneInfo(zone)) + timedelta(days=terms) for zone, now, terms in asked]
    rows = await database.rows(
        f"SELECT {SCHEDULE_INVOICE_OVERDUE_CHECK} AS judge_at FROM unnest($1::date[], $2::text[]) WITH ORDINALITY"
        " AS b (due_date, time_zone, place) ORDER BY place",
        due_dates,
        [zone for zone, _, _ in asked],
    )
    lines = (InvoiceLine(1, None, 10),)
    assert [row["judge_at"] for row in rows] == [
        schedule_invoice_overdue_check(
            Invoice(uuid4(), uuid4(), "GS-DE-00000001", "EUR", due_date, lines), now, ZoneInfo(zone)
        ).judge_at
        for (zone, now, _), due_date in zip(asked, due_dates, strict=True)
    ]


@pytest.mark.parametrize("place", [1, 42, 99_999_999, 100_000_000, 12_345_678_901])
async def test_a_number_is_formatted_as_one_by_hand_is(database: Database, place: int) -> None:
    numbered = await database.value(
        f"SELECT {FORMAT_DOCUMENT_NUMBER} FROM (VALUES ($1::text, $2::text)) AS n (legal_entity, number)",
        "GS-DE",
        str(place),
    )
    assert numbered == format_document_number("GS-DE", "invoice", place)
