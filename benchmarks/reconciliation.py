"""How long a vendor's reconciliation file of a million lines takes, beside the COPY rate of the same run.

python -m benchmarks.reconciliation [LINES]

On a Postgres server of its own, which keeps its promises (fsync) as the local stack's does.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks.stage import analyze, insert_legal_entity
from deploy.local.bootstrap import bootstrap_server
from deploy.local.postgres import PostgresServer
from services.invoicing import reconcile
from services.invoicing.vendor_costs.use_cases import vendor_invoice_payments
from services.invoicing.vendor_costs.use_cases.vendor_invoice_payments import NewVendorInvoice
from shared.base.settings import Settings
from shared.base.wakeups import LoopWakeups
from shared.migrate import migrate_database
from shared.persistence.database import Units

LINES = 1_000_000
FLOOR_SECONDS = 90.0
"""A million lines take at most so long."""
LINES_A_CUSTOMER = 10
NOW = datetime(2026, 4, 9, tzinfo=UTC)
HEADER = (
    "PartnerId,CustomerId,CustomerName,CustomerDomainName,CustomerCountry,InvoiceNumber,MpnId,OrderId,OrderDate,"
    "ProductId,SkuId,AvailabilityId,SkuName,ProductName,ChargeType,UnitPrice,Quantity,Subtotal,TaxTotal,Total,"
    "Currency,PriceAdjustmentDescription,PublisherName,SubscriptionDescription,SubscriptionId,ChargeStartDate,"
    "ChargeEndDate,TermAndBillingCycle,EffectiveUnitPrice,UnitType,ReferenceId\n"
)


def _id(kind: int, number: int) -> UUID:
    return UUID(int=(kind << 96) | (0x7 << 76) | (0x8 << 60) | number)


def _amount(number: int) -> int:
    """In cents; one line in a thousand is dearer than expected."""
    return 10080 + number % 500


def file_lines(lines: int) -> Iterator[str]:
    """The file, as the vendor lays it out."""
    yield HEADER
    for n in range(lines):
        cents = _amount(n) + (100 if n % 1000 == 0 else 0)
        money = f"{cents // 100}.{cents % 100:02d}"
        customer = n // LINES_A_CUSTOMER
        yield (
            f"partner-1,tenant-{customer},Customer {customer},c{customer}.example,DE,G1,4711,order-{n},"
            f"2026-03-01T09:00:00Z,CFQ7TTC0LDPB,0001,av-{n % 50},Business Premium,Business Premium,new,10.08,10,"
            f"{money},0.00,{money},EUR,,Vendor,Business Premium,{_id(3, n)},2026-03-01T00:00:00Z,"
            f"2026-03-30T00:00:00Z,One-Year commitment for monthly billing,{money},Licenses,ref-{n}\n"
        )


def total(lines: int) -> int:
    """Compute the sum of the file, in cents."""
    return sum(_amount(n) + (100 if n % 1000 == 0 else 0) for n in range(lines))


Rows = Iterator[tuple[object, ...]]


def _accounts(lines: int) -> Rows:
    for n in range(lines // LINES_A_CUSTOMER + 1):
        profile = (
            "GS-DE",
            "EUR",
            "UTC",
            "billing@customer.example",
            30,
            None,
            [f"tenant-{n}"],
            1,
            NOW,
            "DE",
            "standard",
            None,
            "en",
            None,
            "standard",
        )
        yield _id(1, n), f"Customer {n}", *profile


def _subscriptions(lines: int) -> Rows:
    for n in range(lines):
        customer = n // LINES_A_CUSTOMER
        ids = (f"tenant-{customer}", str(_id(3, n)), True, NOW)
        yield _id(2, n), _id(1, customer), "Business Premium", 10, 1200, date(2026, 3, 1), None, *ids


def _invoices(lines: int) -> Rows:
    for n in range(lines // LINES_A_CUSTOMER + 1):
        dates = (date(2026, 3, 1), date(2026, 3, 31))
        yield _id(7, n), _id(1, n), "GS-DE", f"GS-DE-{n:08d}", None, "EUR", *dates, 125000, NOW, None, None


def _customer_charges(lines: int) -> Rows:
    first, end = date(2026, 3, 1), date(2026, 4, 1)
    for n in range(lines):
        customer = n // LINES_A_CUSTOMER
        what = ("cycle", None, _id(6, 0), 1, first, end, first, end, 10, 1250, 12500, "EUR", first, False, 0)
        yield _id(8, n), _id(1, customer), _id(2, n), *what, _id(7, customer), NOW, 0, 0


def _invoice_lines(lines: int) -> Rows:
    for n in range(lines):
        customer, place = divmod(n, LINES_A_CUSTOMER)
        amounts = ("Business Premium", 12500, _id(2, n), 12500, 0, None)
        yield _id(7, customer), place + 1, _id(1, customer), *amounts, _id(8, n), None


def _charges(lines: int) -> Rows:
    first, end = date(2026, 3, 1), date(2026, 3, 31)
    for n in range(lines):
        what = (_id(5, n), _id(6, 0), 1, first, first, end, 30, 10, 1008, _amount(n), "EUR", first, NOW)
        yield _id(4, n), _id(1, n // LINES_A_CUSTOMER), _id(2, n), "new", *what


SEEDED = {
    "accounts": _accounts,
    "subscriptions": _subscriptions,
    "invoices": _invoices,
    "charges": _customer_charges,
    "invoice_lines": _invoice_lines,
    "vendor_charges": _charges,
}
"""What there is before the file comes: each subscription was billed to its customer, and is expected of the vendor."""


async def _seed(url: str, lines: int) -> float:
    """Seed what there is, by COPY; returns the rows a second of the charges' COPY."""
    owner = await asyncpg.connect(url)
    taken = 0.0
    for table, rows in SEEDED.items():
        records = list(rows(lines))
        started = time.perf_counter()
        await owner.copy_records_to_table(table, schema_name="invoicing", records=records)
        taken = time.perf_counter() - started
    await analyze(owner)
    await owner.close()
    return lines / taken


async def _copy_rate(url: str, path: Path, lines: int) -> float:
    """Lines a second of a bare COPY of the same file's text into a table of text columns: as fast as it could be."""
    connection = await asyncpg.connect(url)
    names = ", ".join(f"{name} text" for name in HEADER.strip().split(","))
    await connection.execute(f"CREATE TABLE public.bare ({names})")
    started = time.perf_counter()
    await connection.copy_to_table("bare", schema_name="public", source=path, format="csv", header=True, timeout=600)
    taken = time.perf_counter() - started
    await connection.close()
    return lines / taken


async def _run(server: PostgresServer, folder: Path, lines: int) -> list[dict[str, Any]]:
    await bootstrap_server(server, "benchmark")
    await migrate_database(server.url("owner", "benchmark"))
    await insert_legal_entity(server)
    superuser = server.url(database="benchmark")
    seeding = await _seed(superuser, lines)
    path = folder / "file.csv"
    with path.open("w") as file:
        file.writelines(file_lines(lines))
    bare = await _copy_rate(superuser, path, lines)
    units = Units(
        Settings(database_url=server.url("invoicing", "benchmark"), jwks_file=folder / "none", issuer="none"),
        LoopWakeups(),
    )
    new = NewVendorInvoice("G1", "GS-DE", "EUR", date(2026, 4, 8), None, None, None, total(lines), 0, 7)
    await units.run(lambda unit: vendor_invoice_payments.record_vendor_invoice(unit, new))
    started = time.perf_counter()
    result = await reconcile.reconcile_vendor_invoice(units, path, "G1", "benchmark", None)
    taken = time.perf_counter() - started
    await units.close()
    assert result.row.lines == lines, result
    assert {verdict_sum.verdict.value: verdict_sum.lines for verdict_sum in result.sums} == {
        "matched": lines - -(-lines // 1000),
        "price_difference": -(-lines // 1000),
    }, result.sums
    billed = {
        verdict_sum.verdict.value: [(each.currency, each.minor) for each in verdict_sum.billed_to_customers]
        for verdict_sum in result.sums
    }
    assert billed["price_difference"] == [("EUR", 12500 * -(-lines // 1000))], billed
    floor = FLOOR_SECONDS * lines / LINES
    return [
        _row(f"reconciliation of {lines} lines", taken, "s", floor, lines / bare, "lower"),
        _row("reconciliation rate", lines / taken, "lines/s", LINES / FLOOR_SECONDS, bare, "higher"),
        _row("COPY of the same file, bare", bare, "lines/s", None, None, "higher"),
        _row("COPY of charges", seeding, "rows/s", None, None, "higher"),
    ]


def _row(name: str, value: float, unit: str, floor: float | None, limit: float | None, better: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "floor": floor, "limit": limit, "better": better}


def measure(lines: int = LINES) -> list[dict[str, Any]]:
    """Rows of name, value, unit, floor (what must be reached), limit (what could be at best), better."""
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres", durable=True)
        server.start()
        try:
            return asyncio.run(_run(server, Path(folder), lines))
        finally:
            server.remove()


if __name__ == "__main__":
    for row in measure(int(sys.argv[1]) if len(sys.argv) > 1 else LINES):
        print(row)
