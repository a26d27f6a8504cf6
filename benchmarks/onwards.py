"""How fast what invoicing finds out is known in collections: a bill run until collections has every invoice, and
invoices that become overdue until their events are out and their cases open.

python -m benchmarks.onwards [SUBSCRIPTIONS] [INVOICES]
"""

import asyncio
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg

from benchmarks import bill_run
from benchmarks.stage import Row, Stage, analyze, bare, broker, made_id, resident, row, running, staged
from deploy.local.children import ChildProgram
from services.invoicing.billing.use_cases import bill_run_control
from shared.base.clock import read_system_clock

INVOICES = 100_000
BILLED_FLOOR, OVERDUE_FLOOR = 2_500, 2_000
"""Invoices a second."""
INVOICE = 4
SILENT = 120.0
"""Without any progress for so long (seconds) it is broken, not slow."""
POLICY = (Path(__file__).parents[1] / "sandbox" / "policies" / "standard.yaml").read_text()
HEARD = "SELECT count(*) FROM collections.items"
CASES = "SELECT count(*) FROM collections.cases"
BILLED = (
    *(table for table in bill_run.WRITTEN if table != "invoicing.outbox"),
    "collections.balances",
    "collections.items",
)
"""What stays of a bill run on its way to collections: the outbox is emptied behind it."""
OVERDUE = (
    "collections.balances WHERE event_id IS NOT NULL",
    "collections.outbox",
    "collections.items",
    "invoicing.invoice_states",
    "collections.overdues",
    "collections.cases",
    "collections.streams",
)
"""What is new, or new in part, once all are overdue and their cases open."""


def _services(stage: Stage, kafka: str) -> list[ChildProgram]:
    """Everything between a due invoice and collections: one relay, of the rest as many as there are cores."""
    cores = range(bill_run.WORKERS)
    jobs = [stage.process("invoicing", "jobs", kafka) for _ in cores]
    consumers = [stage.process("collections", "consumer", kafka) for _ in cores]
    return [*jobs, stage.process("invoicing", "relay", kafka), *consumers]


async def _until(connection: asyncpg.Connection, query: str, count: int) -> None:
    """Wait until as many are there. Raises TimeoutError when nothing comes any more."""
    seen, since = -1, time.monotonic()
    while True:
        asked = time.monotonic()
        is_there = await connection.fetchval(query)
        if is_there >= count:
            return
        now = time.monotonic()
        if is_there > seen:
            seen, since = is_there, now
        elif now - since > SILENT:
            raise TimeoutError(f"{is_there} of {count}: {query}")
        await asyncio.sleep(max(0.2, 20 * (now - asked)))  # to count many takes of what is measured


async def _known_accounts(stage: Stage, count: int) -> None:
    """Collections has a policy, and has heard of the accounts."""
    owner = await asyncpg.connect(stage.url())
    now = read_system_clock()
    await owner.execute(
        "INSERT INTO collections.policies VALUES (1, 'standard', $1, $2, $3, 'benchmark', 'benchmark')",
        date(2000, 1, 1),
        POLICY,
        now,
    )
    accounts = [(made_id(bill_run.ACCOUNT, n), "GS-DE", "Europe/Berlin", now) for n in range(count)]
    await owner.copy_records_to_table("accounts", schema_name="collections", records=accounts)
    marks = [("invoicing.events", str(account[0]), 1) for account in accounts]
    await owner.copy_records_to_table("watermarks", schema_name="collections", records=marks)
    await analyze(owner)
    await owner.close()


async def _measure_bill_run(kafka: str, count: int, floor: float) -> list[Row]:
    """A bill run until collections has all its invoices."""
    day = datetime.now(UTC).date().replace(day=1)
    owners = bill_run.accounts(count)
    async with staged() as stage:
        await bill_run.seed(stage, count, day)
        await _known_accounts(stage, owners)
        units, watching = stage.units(), await asyncpg.connect(stage.url())
        with running(stage, *_services(stage, kafka)) as ids:
            await asyncio.sleep(5)  # they are up, and wait
            started = time.perf_counter()
            await units.run(lambda unit: bill_run_control.start_bill_run(unit, day, at_once=True, actor="benchmark"))
            await _until(watching, HEARD, owners)
            taken = time.perf_counter() - started
            memory = max(resident(process_id) for process_id in ids)
        limit = owners / await bare(stage, BILLED)
        await units.close()
        await watching.close()
    return [
        row(
            f"bill run of {count} subscriptions, until collections has it",
            owners / taken,
            "invoices/s",
            floor,
            limit,
            "higher",
        ),
        row("the largest process after that, resident", memory, "MB", bill_run.MEMORY, None, "lower"),
    ]


_SEED = (
    """INSERT INTO invoicing.invoices (id, account_id, legal_entity, number, currency, issue_date, due_date,
    total_minor, issued_at) SELECT invoice_id, account_id, 'GS-DE', 'GS-DE-' || lpad(n::text, 8, '0'), 'EUR',
    $1::timestamptz::date - 31, $1::timestamptz::date - 1, 11995, $1::timestamptz - interval '31 days'
    FROM public.made""",
    """INSERT INTO invoicing.invoice_lines (invoice_id, line, account_id, description, net_minor, tax_minor,
    tax_rate_bp, amount_minor) SELECT invoice_id, 1, account_id, 'Business Premium', 10080, 1915, 1900, 11995
    FROM public.made""",
    """INSERT INTO invoicing.line_balances SELECT invoice_id, 1, account_id, 11995, 0, 0, 0, 0, 0, 0
    FROM public.made""",
    """INSERT INTO invoicing.invoice_states SELECT invoice_id, account_id, 11995, $1::timestamptz - interval '31 days',
    NULL, $1::timestamptz + interval '1 day' FROM public.made""",
    """INSERT INTO invoicing.balance_changes SELECT invoice_id, 1, account_id, $1::timestamptz - interval '31 days',
    11995 FROM public.made""",
    """INSERT INTO collections.items (invoice_id, account_id, number, currency, due_date, recorded_at, open_minor,
    sequence) SELECT invoice_id, account_id, 'GS-DE-' || lpad(n::text, 8, '0'), 'EUR', $1::timestamptz::date - 1,
    $1::timestamptz - interval '31 days', 11995, 1 FROM public.made""",
    """INSERT INTO collections.balances SELECT invoice_id, 1, account_id, $1::timestamptz - interval '31 days',
    '[{"line": 1, "subscription_id": null, "open_minor": 11995, "disputed_minor": 0, "in_flight_minor": 0,
    "written_off_minor": 0}]', NULL FROM public.made""",
)


async def owing(stage: Stage, count: int) -> None:
    """Accounts with an invoice each that was due yesterday and is not judged yet; both services know them."""
    now = read_system_clock()
    owner = await asyncpg.connect(stage.url())
    for table, rows in (("accounts", bill_run.account_rows(count, now)), ("streams", bill_run.stream_rows(count))):
        await owner.copy_records_to_table(table, schema_name="invoicing", records=list(rows))
    await _known_accounts(stage, count)
    await owner.execute("CREATE TABLE public.made (n int, account_id uuid, invoice_id uuid)")
    made = [(n, made_id(bill_run.ACCOUNT, n), made_id(INVOICE, n)) for n in range(count)]
    await owner.copy_records_to_table("made", schema_name="public", records=made)
    for statement in _SEED:
        await owner.execute(statement, *([now] if "$1" in statement else []))
    await analyze(owner)
    await owner.close()


async def _overdue(kafka: str, count: int) -> list[Row]:
    """Invoices become overdue, until collections has opened a case for each."""
    async with staged() as stage:
        await owing(stage, count)
        watching = await asyncpg.connect(stage.url())
        with running(stage, *_services(stage, kafka)):
            await asyncio.sleep(5)  # they are up, and wait
            started = time.perf_counter()
            await watching.execute("UPDATE invoicing.invoice_states SET judge_at = $1", read_system_clock())
            await _until(watching, CASES, count)
            taken = time.perf_counter() - started
        limit = count / await bare(stage, OVERDUE)
        copied = await _measure_bare_copy(watching, count)
        await watching.close()
    return [
        row(
            f"{count} invoices become overdue, until their cases are open",
            count / taken,
            "invoices/s",
            OVERDUE_FLOOR,
            limit,
            "higher",
        ),
        row("COPY of their balances, bare", copied, "rows/s", None, None, "higher"),
    ]


async def _measure_bare_copy(connection: asyncpg.Connection, count: int) -> float:
    await connection.execute("CREATE TABLE public.bare (LIKE collections.balances INCLUDING INDEXES)")
    rows = [tuple(balance) for balance in await connection.fetch("SELECT * FROM collections.balances LIMIT $1", count)]
    started = time.perf_counter()
    await connection.copy_records_to_table("bare", schema_name="public", records=rows)
    return len(rows) / (time.perf_counter() - started)


def measure(subscriptions: int = bill_run.SUBSCRIPTIONS, invoices: int = INVOICES) -> list[Row]:
    """The rows of the report."""
    with broker() as kafka:
        rows = asyncio.run(_measure_bill_run(kafka, subscriptions, BILLED_FLOOR))
    with broker() as kafka:
        return rows + asyncio.run(_overdue(kafka, invoices))


def measure_million() -> list[Row]:
    """A bill run of ten times as many, until collections has it."""
    with broker() as kafka:
        return asyncio.run(_measure_bill_run(kafka, bill_run.MILLION, BILLED_FLOOR * 0.8))


if __name__ == "__main__":
    for figure in measure(*map(int, sys.argv[1:])):
        print(figure)
