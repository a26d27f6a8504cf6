"""Ledger entries of what the vendor bills and is paid, worked out by hand for a year."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.postgres import PostgresServer
from deploy.local.tokens import SigningKeyPair
from shared.migrate import migrate_database
from tests.builders import Database, running, sweep
from tests.component.billing_world import Billing
from tests.upgrades import create_database_at
from tests.vendor_files import vendor_invoice

ENTRIES = """
SELECT document, code, currency, amount_minor, posted_on FROM invoicing.ledger_entries
WHERE account_id IS NULL ORDER BY id
"""


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    """Invoicing with its workers."""
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


def build_payment(amount: int, day: str, currency: str = "USD") -> dict[str, Any]:
    """The body of a payment to the vendor."""
    return {"amount_minor": amount, "currency": currency, "paid_on": day, "reason": "payment run"}


async def receive(billing: Billing, total: int, tax: int, day: str, currency: str = "USD") -> str:
    """Record a vendor invoice; its id."""
    body = vendor_invoice(total, tax_minor=tax, invoice_date=day, currency=currency)
    return str((await billing.client.create("/v1/vendor-invoices", body))["id"])


async def pay(billing: Billing, invoice_id: str, amount: int, day: str, currency: str = "USD") -> None:
    """Record our payment of a vendor invoice."""
    await billing.client.create(f"/v1/vendor-invoices/{invoice_id}:pay", build_payment(amount, day, currency))


async def list_entries(database: Database) -> list[tuple[str, str, int, date]]:
    """Every entry that belongs to no account: document, code, amount, date."""
    rows = await database.rows(ENTRIES)
    return [(row["document"], row["code"], row["amount_minor"], row["posted_on"]) for row in rows]


async def test_a_year_of_vendor_invoices_comes_to_what_is_held_back_and_not_decided(billing: Billing) -> None:
    """Ten seats at 8.20 USD are accrued in each of twelve months: 12 × 82.00 = 984.00.

    Eleven invoices are of 82.00 and 15.58 tax (19 %), one of 87.00 and 16.53: 187.91 tax. Of one invoice of 97.58 only
    90.00 is paid, so 10 × 97.58 + 90.00 + 103.53 = 1,169.33 left. Payable are −984.00 − 187.91 + 1,169.33 = −2.58:
    7.58 that is held back, less 5.00 that was paid and never accrued.
    """
    await billing.buy(await billing.plan(), await billing.account(), start="2026-03-02")
    for number in range(12):
        year, month = 2026 + (number + 3) // 12, (number + 3) % 12 + 1
        await billing.to(f"{year}-{month:02}-01")
        net = 8_700 if number == 4 else 8_200
        tax = 1_653 if number == 4 else 1_558
        invoice_id = await receive(billing, net + tax, tax, f"{year}-{month:02}-01")
        await pay(billing, invoice_id, 9_000 if number == 8 else net + tax, f"{year}-{month:02}-01")
    balance = await billing.trial_balance()
    assert balance == {
        ("vendor_cost", "USD"): 98_400,
        ("input_tax", "USD"): 18_791,
        ("vendor_payable", "USD"): -258,
        ("cash", "USD"): -116_933,
    }
    assert sum(balance.values()) == 0


async def test_each_currency_balances_for_itself(billing: Billing) -> None:
    for currency, total, tax in (("USD", 11_900, 1_900), ("JPY", 1_100, 100)):
        invoice_id = await receive(billing, total, tax, "2026-03-01", currency)
        await pay(billing, invoice_id, total, "2026-03-02", currency)
    assert await billing.trial_balance() == {
        ("input_tax", "USD"): 1_900,
        ("vendor_payable", "USD"): 10_000,
        ("cash", "USD"): -11_900,
        ("input_tax", "JPY"): 100,
        ("vendor_payable", "JPY"): 1_000,
        ("cash", "JPY"): -1_100,
    }


async def test_tax_and_payment_are_posted_on_their_dates(billing: Billing) -> None:
    invoice_id = await receive(billing, 11_900, 1_900, "2026-02-27")
    await pay(billing, invoice_id, 11_900, "2026-03-01")
    february, march = date(2026, 2, 27), date(2026, 3, 1)
    assert await list_entries(billing.database) == [
        ("vendor_invoice", "input_tax", 1_900, february),
        ("vendor_invoice", "vendor_payable", -1_900, february),
        ("vendor_payment", "vendor_payable", 11_900, march),
        ("vendor_payment", "cash", -11_900, march),
    ]
    journal = await billing.client.get("/v1/ledger/GS-DE/journal/2026-03-01")
    assert [line.split(",")[4:9] for line in journal.text.splitlines()[1:]] == [
        ["vendor_payable", "USD", "11900", "", "vendor_payment"],
        ["cash", "USD", "-11900", "", "vendor_payment"],
    ]


async def test_what_falls_into_a_closed_month_is_posted_when_the_first_open_one_begins(billing: Billing) -> None:
    await billing.database.move(datetime(2026, 4, 1, 12, tzinfo=UTC))
    await billing.client.create("/v1/ledger/GS-DE/periods/2026-03:close", {"reason": "month end"})
    invoice_id = await receive(billing, 11_900, 1_900, "2026-02-27")
    await pay(billing, invoice_id, 11_900, "2026-03-30")
    assert {posted_on for *_, posted_on in await list_entries(billing.database)} == {date(2026, 4, 1)}


async def test_an_invoice_without_tax_that_is_paid_with_nothing_posts_nothing(billing: Billing) -> None:
    invoice_id = await receive(billing, 10_000, 0, "2026-03-01")
    await pay(billing, invoice_id, 0, "2026-03-01")
    assert await list_entries(billing.database) == []


async def insert_former_invoices(database: Database, ids: Sequence[UUID]) -> None:
    """Insert three vendor invoices as they were before postings: paid in a closed month, paid later, and not paid."""
    await database.execute(
        "INSERT INTO invoicing.legal_entities VALUES ('GS-DE', '', '{}', '', '', '', '', '', NULL, false, 0, 'before',"
        " 'epoch', NULL, 'rates')"
    )
    for number, (invoice_id, paid_on) in enumerate(zip(ids, (date(2026, 1, 20), date(2026, 2, 20), None), strict=True)):
        await database.execute(
            "INSERT INTO invoicing.vendor_invoices (id, number, legal_entity, currency, invoice_date, due_date,"
            " period_from, period_to, total_minor, tax_minor, state, received_at, paid_on, paid_minor, paid_by)"
            " VALUES ($1, $2, 'GS-DE', 'USD', '2026-01-08', '2026-03-09', '2025-12-01', '2026-01-01', 11900, 1900, $3,"
            " '2026-01-09T08:00:00Z', $4, $5, $6)",
            invoice_id,
            f"G{number}",
            "paid" if paid_on else "received",
            paid_on,
            11_900 if paid_on else None,
            "finance" if paid_on else None,
        )
        await database.execute("INSERT INTO invoicing.streams VALUES ($1, $2)", str(invoice_id), number + 1)
    await database.execute(
        "INSERT INTO invoicing.ledger_periods VALUES ('GS-DE', '2026-01-01', 'finance', 'month end', '2026-02-01')"
    )


async def test_what_was_paid_before_is_posted_once_in_an_open_month(
    postgres: PostgresServer, keys: SigningKeyPair, jwks_file: Path
) -> None:
    """Three invoices are from before: one was paid in a closed month, one after it, and one is paid now."""
    database = Database(postgres, f"before_postings_{uuid4().hex[:8]}")
    await create_database_at(postgres, database.name, "invoicing", "0021")
    ids = [uuid4(), uuid4(), uuid4()]
    await insert_former_invoices(database, ids)
    await migrate_database(postgres.url("owner", database.name))
    await database.install_clock()
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        await client.create(f"/v1/vendor-invoices/{ids[2]}:pay", build_payment(11_900, "2026-03-01"))
        await sweep(runtime)
        posted = await list_entries(database)
        await sweep(runtime)
        assert await list_entries(database) == posted
    totals: dict[tuple[str, str, date], int] = {}
    for document, code, amount, posted_on in posted:
        key = (document, code, posted_on)
        totals[key] = totals.get(key, 0) + amount
    first, later, now = date(2026, 2, 1), date(2026, 2, 20), date(2026, 3, 1)
    assert totals == {
        ("vendor_invoice", "input_tax", first): 5_700,
        ("vendor_invoice", "vendor_payable", first): -5_700,
        ("vendor_payment", "vendor_payable", first): 11_900,
        ("vendor_payment", "cash", first): -11_900,
        ("vendor_payment", "vendor_payable", later): 11_900,
        ("vendor_payment", "cash", later): -11_900,
        ("vendor_payment", "vendor_payable", now): 11_900,
        ("vendor_payment", "cash", now): -11_900,
    }
    assert await database.value("SELECT count(*) FROM invoicing.vendor_invoices WHERE post_at IS NOT NULL") == 0
