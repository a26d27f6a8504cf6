"""How long a bank statement of 50,000 entries takes, matched against 500,000 open invoices, as one import.

python -m benchmarks.bank [ENTRIES [INVOICES]]

Seven of ten entries name an invoice, one pays just what an invoice has open, one all that an account owes under its
name, one nobody knows. Beside it: the time to read the same file alone, and a bare COPY of its entries.
"""

import asyncio
import sys
import time
from collections.abc import Iterator

import asyncpg

from benchmarks.stage import Row, Stage, analyze, made_id, row, staged
from services.invoicing.bank.domain.statements import camt
from services.invoicing.bank.domain.statements.statement_entries import BankStatementEntry
from services.invoicing.bank.use_cases import bank_booking
from services.invoicing.jobs import SWEEPS
from shared.persistence.database import Unit, Units

ENTRIES, INVOICES = 50_000, 500_000
FLOOR_SECONDS = 60.0
INVOICES_AN_ACCOUNT = 5
BOOKED_UNITS = 5

_ACCOUNTS = """
INSERT INTO invoicing.accounts (id, name, legal_entity, currency, time_zone, billing_email, terms_days,
    vendor_customer_ids, tax_status, language, support_level, version, registered_at)
SELECT id, 'Customer Number ' || m || ' GmbH', 'GS-DE', 'EUR', 'UTC', 'billing@customer.example', 30,
    '{}', 'standard', 'en', 'standard', 1, '2026-03-01T09:00:00Z'
FROM public.owners
"""
_NUMBERED = """
CREATE TABLE public.numbered AS
SELECT n, md5('invoice' || n)::uuid AS id, a.id AS account_id, 'GS-DE-' || to_char(n, 'FM00000000') AS number,
    1000 + (n * 7919::bigint % 200003) AS amount
FROM generate_series(0, {invoices} - 1) AS n
JOIN LATERAL (SELECT n / {each} AS m) AS o ON true
JOIN public.owners a ON a.m = o.m
"""
_INVOICES = """
INSERT INTO invoicing.invoices (id, account_id, legal_entity, number, currency, issue_date, due_date, total_minor,
    issued_at)
SELECT id, account_id, 'GS-DE', number, 'EUR', '2026-03-01', '2026-03-31', amount, '2026-03-01T09:00:00Z'
FROM public.numbered
"""
_STATES = """
INSERT INTO invoicing.invoice_states (invoice_id, account_id, open_minor, changed_at)
SELECT id, account_id, amount, '2026-03-01T09:00:00Z' FROM public.numbered
"""

_LINES = """
INSERT INTO invoicing.invoice_lines (invoice_id, line, account_id, description, net_minor, tax_minor, amount_minor)
SELECT id, 1, account_id, 'Business Premium', amount, 0, amount FROM public.numbered
"""
_BALANCES = """
INSERT INTO invoicing.line_balances (invoice_id, line, account_id, amount_minor, paid_minor, credited_minor,
    reserved_minor, in_flight_minor, written_off_minor, charged_back_minor)
SELECT id, 1, account_id, amount, 0, 0, 0, 0, 0, 0 FROM public.numbered
"""


def compute_open_cents(number: int) -> int:
    """Compute the open amount of an invoice, in cents: amounts come again, as prices do."""
    return 1000 + number * 7919 % 200_003


def entries(count: int, invoices: int) -> Iterator[str]:
    """The entries of the statement."""
    for n in range(count):
        invoice = n * 9 % invoices
        account = invoice // INVOICES_AN_ACCOUNT
        amount, text, payer = (
            compute_open_cents(invoice),
            f"Invoice GS-DE-{invoice:08d} of March, thank you",
            "Somebody",
        )
        if n % 10 == 7:
            text, payer = "your invoice of March", f"CUSTOMER NUMBER {account}"
        if n % 10 == 8:
            first = account * INVOICES_AN_ACCOUNT
            amount = sum(
                compute_open_cents(number) for number in range(first, min(first + INVOICES_AN_ACCOUNT, invoices))
            )
            text, payer = "all of it", f"Customer Number {account} GmbH"
        if n % 10 == 9:
            amount, text = 7, "who knows 2026"
        yield (
            f'<Ntry><Amt Ccy="EUR">{amount // 100}.{amount % 100:02d}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
            f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-30</Dt></BookgDt><AcctSvcrRef>B{n}</AcctSvcrRef>"
            f"<NtryDtls><TxDtls><RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr></RltdPties>"
            f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        )


def build_statement(count: int, invoices: int) -> bytes:
    """Build a statement file of so many entries."""
    return (
        "<Document><BkToCstmrStmt><Stmt><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>"
        f"{''.join(entries(count, invoices))}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


async def _seed(stage: Stage, invoices: int) -> None:
    owner = await asyncpg.connect(stage.url())
    accounts = -(-invoices // INVOICES_AN_ACCOUNT)
    await owner.execute("CREATE TABLE public.owners (m int PRIMARY KEY, id uuid)")
    await owner.copy_records_to_table(
        "owners", schema_name="public", records=((n, made_id(1, n)) for n in range(accounts))
    )
    await owner.execute(_ACCOUNTS)
    await owner.execute("INSERT INTO invoicing.streams (subject, sequence) SELECT id::text, 0 FROM public.owners")
    await owner.execute(_NUMBERED.format(invoices=invoices, each=INVOICES_AN_ACCOUNT))
    for query in (_INVOICES, _STATES, _LINES, _BALANCES):
        await owner.execute(query)
    await owner.execute("DROP TABLE public.numbered")
    await analyze(owner)
    await owner.close()


async def _bare(stage: Stage, read: list[BankStatementEntry]) -> float:
    """Seconds of a COPY of the entries into a table without index or check."""
    owner = await asyncpg.connect(stage.url())
    await owner.execute("CREATE TABLE public.bare (place int, key text, amount bigint, payer text, text text)")
    records = [(entry.place, entry.key, entry.amount, entry.payer, entry.text) for entry in read]
    started = time.perf_counter()
    await owner.copy_records_to_table("bare", schema_name="public", records=records)
    taken = time.perf_counter() - started
    await owner.close()
    return taken


async def _book(units: Units) -> float:
    """Entries a second that one worker books, over some units of its sweep."""
    (sweep,) = (bank_sweep for bank_sweep in SWEEPS if bank_sweep.name == "bank_entries")

    async def once(unit: Unit) -> int:
        claimed = await unit.claim_due_accounts(sweep.due, 200)
        await sweep.handler(unit, claimed)
        return len(claimed)

    started = time.perf_counter()
    booked = [await units.run(once) for _ in range(BOOKED_UNITS)]
    return sum(booked) / (time.perf_counter() - started)


async def _run(count: int, invoices: int) -> list[Row]:
    async with staged() as stage:
        await _seed(stage, invoices)
        body = build_statement(count, invoices)
        started = time.perf_counter()
        read = [entry for entry in camt.read_camt_statement(body) if isinstance(entry, BankStatementEntry)]
        reading = time.perf_counter() - started
        bare = await _bare(stage, read)
        units = stage.units()
        started = time.perf_counter()
        taken, repeated = await units.run(
            lambda unit: bank_booking.import_bank_statement(unit, body, None, "benchmark")
        )
        matching = time.perf_counter() - started
        booking = await _book(units)
        await units.close()
        assert not repeated
        assert taken.certain == sum(n % 10 < 7 for n in range(count)), taken
        floor = FLOOR_SECONDS * count / ENTRIES
        return [
            row(
                f"{count} bank entries against {invoices} open invoices", matching, "s", floor, reading + bare, "lower"
            ),
            row("matching rate", count / matching, "entries/s", ENTRIES / FLOOR_SECONDS, None, "higher"),
            row("certain entries booked", booking, "entries/s", None, None, "higher"),
            row("reading the same file", reading, "s", None, None, "lower"),
            row("COPY of its entries, bare", bare, "s", None, None, "lower"),
        ]


def measure(count: int = ENTRIES, invoices: int = INVOICES) -> list[Row]:
    """Rows of name, value, unit, floor (what must be reached), limit (what could be at best), better."""
    return asyncio.run(_run(count, invoices))


if __name__ == "__main__":
    for figure in measure(*map(int, sys.argv[1:])):
        print(figure)
