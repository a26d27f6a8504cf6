"""How many invoices a second a bill run issues: lines, tax, ledger and outbox committed.

python -m benchmarks.bill_run [SUBSCRIPTIONS]
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import asyncpg

from benchmarks.stage import Row, Stage, analyze, bare, made_id, resident, row, running, staged
from services.invoicing.billing.use_cases import bill_run_control
from shared.base.clock import read_system_clock

SUBSCRIPTIONS = 100_000
FLOOR = 5_000
"""Invoices a second."""
MILLION = 1_000_000
"""Ten times as many must go as fast, within a fifth, in the same memory."""
MEMORY = 250
"""MB that a process may hold after that."""
WORKERS = 2
ACCOUNT, SUBSCRIPTION, PLAN = 1, 2, 3
RUNS = "SELECT EXISTS (SELECT FROM invoicing.bill_runs WHERE state <> 'done')"
WRITTEN = (
    "invoicing.ledger_entries",
    "invoicing.invoice_lines",
    "invoicing.charges",
    "invoicing.line_balances",
    "invoicing.outbox",
    "invoicing.invoices",
    "invoicing.invoice_states",
    "invoicing.balance_changes",
    "invoicing.bill_run_accounts",
)
"""What a run adds."""
Rows = Iterator[tuple[object, ...]]


def accounts(subscriptions: int) -> int:
    """Three accounts have five subscriptions."""
    return max(1, subscriptions * 3 // 5)


def account_rows(count: int, now: datetime) -> Rows:
    """Accounts as COPY takes them."""
    for n in range(count):
        profile = ("GS-DE", "EUR", "Europe/Berlin", "billing@customer.example", 30, None, [f"tenant-{n}"])
        yield made_id(ACCOUNT, n), f"Customer {n}", *profile, 1, now, "DE", "standard", None, "en", None, "standard"


def stream_rows(count: int) -> Rows:
    """Their streams, with an event told of each."""
    for n in range(count):
        yield str(made_id(ACCOUNT, n)), 1


def _subscriptions(count: int, day: date, now: datetime) -> Rows:
    owners = accounts(count)
    for n in range(count):
        ids = (f"tenant-{n % owners}", f"vendor-{n}", True, now)
        yield made_id(SUBSCRIPTION, n), made_id(ACCOUNT, n % owners), "Business Premium", 10, 1008, day, None, *ids


def _terms(count: int, day: date, now: datetime) -> Rows:
    """A year that began this month, billed monthly in advance; the vendor's cycles have been accrued."""
    owners, end = accounts(count), date(day.year + 1, day.month, day.day)
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=day.day)
    for n in range(count):
        plan = (made_id(PLAN, 0), 1, "EUR", 1 + n % 40, 1008, day, False, 12, 1, "advance", day, end, True, day)
        cycles = (day, following, day, 820, "USD", 1, True, following, end, now + timedelta(days=20), None)
        yield made_id(SUBSCRIPTION, n), made_id(ACCOUNT, n % owners), *plan, *cycles


async def seed(stage: Stage, count: int, day: date) -> float:
    """Everything by COPY; rows a second of the terms' COPY, the widest table."""
    now = read_system_clock()
    owner = await asyncpg.connect(stage.url())
    await owner.execute(
        "INSERT INTO invoicing.plans VALUES ($1, 'p', 'Business Premium', 's', $2)", made_id(PLAN, 0), now
    )
    await owner.execute(
        "INSERT INTO invoicing.plan_versions"
        " VALUES ($1, 1, $2, 12, 1, 'advance', 'bill', 0, 7, 820, 'USD', 1, true, $3)",
        made_id(PLAN, 0),
        day,
        now,
    )
    await owner.execute("INSERT INTO invoicing.plan_prices VALUES ($1, 1, 'EUR', 1008, 0)", made_id(PLAN, 0))
    await owner.execute("INSERT INTO invoicing.tax_rates VALUES ('GS-DE', 'DE', 's', '2000-01-01', 1900)")
    taken = 0.0
    for table, rows in (
        ("accounts", account_rows(accounts(count), now)),
        ("streams", stream_rows(accounts(count))),
        ("subscriptions", _subscriptions(count, day, now)),
        ("terms", _terms(count, day, now)),
    ):
        records = list(rows)
        started = time.perf_counter()
        await owner.copy_records_to_table(table, schema_name="invoicing", records=records)
        taken = time.perf_counter() - started
    await analyze(owner)
    await owner.close()
    return count / taken


async def measure_bare_insert(stage: Stage, rows: int) -> float:
    """Rows a second of one INSERT … SELECT into a table as wide as that of the charges: what could be at best."""
    owner = await asyncpg.connect(stage.url())
    await owner.execute("CREATE TABLE public.bare (LIKE invoicing.charges INCLUDING INDEXES)")
    started = time.perf_counter()
    await owner.execute("INSERT INTO public.bare SELECT * FROM invoicing.charges LIMIT $1", rows)
    taken = time.perf_counter() - started
    await owner.close()
    return rows / taken


async def run(count: int, floor: float) -> list[Row]:
    """Bill everybody with as many workers as there are cores."""
    day = datetime.now(UTC).date().replace(day=1)
    async with staged() as stage:
        copied = await seed(stage, count, day)
        units = stage.units()
        with running(stage, *(stage.process("invoicing", "jobs") for _ in range(WORKERS))) as ids:
            await asyncio.sleep(3)  # they are up, and wait
            started = time.perf_counter()
            await units.run(lambda unit: bill_run_control.start_bill_run(unit, day, at_once=True, actor="benchmark"))
            connection = await asyncpg.connect(stage.url())
            while await connection.fetchval(RUNS):  # noqa: ASYNC110  # what it waits for happens in other processes
                await asyncio.sleep(0.05)
            taken = time.perf_counter() - started
            memory = max(map(resident, ids))
        issued = await connection.fetchval("SELECT count(*) FROM invoicing.invoices")
        outbox = await connection.fetchval("SELECT count(*) FROM invoicing.outbox WHERE type LIKE '%InvoiceIssued%'")
        await connection.close()
        await units.close()
        assert issued == outbox == accounts(count), (issued, outbox)
        limit = issued / await bare(stage, WRITTEN)
        charges = await measure_bare_insert(stage, count)
    return [
        row(f"bill run of {count} subscriptions", issued / taken, "invoices/s", floor, limit, "higher"),
        row("its larger worker, resident", memory, "MB", MEMORY, None, "lower"),
        row("INSERT … SELECT of its charges, bare", charges, "rows/s", None, None, "higher"),
        row("COPY of its terms, bare", copied, "rows/s", None, None, "higher"),
    ]


def measure(count: int = SUBSCRIPTIONS) -> list[Row]:
    """The rows of the report."""
    return asyncio.run(run(count, FLOOR))


def measure_million() -> list[Row]:
    """Measure a bill run of ten times as many."""
    return asyncio.run(run(MILLION, FLOOR * 0.8))


if __name__ == "__main__":
    for figure in measure(int(sys.argv[1]) if len(sys.argv) > 1 else SUBSCRIPTIONS):
        print(figure)
