"""Support at its size: work lists, search and threads of 200,000 cases, deadlines of an hour, and 5,000 resources.

python -m benchmarks.cases [CASES]

One process of escalation, asked over 16 connections; beside each figure the route that says that the process lives.
"""

import asyncio
import sys
import time
from urllib.parse import quote

import asyncpg
import orjson

from benchmarks.callers import CONNECTIONS, Request, ask_all, ask_whether_alive, open_callers, wait_until_up
from benchmarks.stage import Row, Stage, analyze, made_id, row, running, staged
from deploy.local.ports import find_free_port
from deploy.local.tokens import SigningKeyPair
from services.escalation.use_cases import case_clocks, resources
from shared.base.settings import Settings
from shared.base.wakeups import LoopWakeups
from shared.persistence.database import Unit, Units

CASES, ENTRIES, ACCOUNTS, RESOURCES = 200_000, 5, 20_000, 5_000
CLOCKS = 100_000
CASE, ACCOUNT = 0x41, 0x42
READS = 1_000
"""Requests of each kind."""
WARM = 100
RARE_EVERY = 400
"""One case in so many has a word that is searched: 500 of 200,000."""
FLOOR_LIST, FLOOR_SEARCH, FLOOR_CASE, FLOOR_RESOURCES = 0.050, 0.150, 0.050, 0.050
FLOOR_IMPORT_SECONDS, FLOOR_CLOCKS = 5.0, 2_000

_MADE_ID = """
CREATE FUNCTION public.made_id(kind int, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(kind), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
$$
"""


def _list_texts(cases: int) -> tuple[str, ...]:
    """List the statements that fill the database with cases, entries of their threads, and their words."""
    return (
        _MADE_ID,
        f"""
        INSERT INTO escalation.cases (id, version, account_id, kind, state, state_since, subject, description, queue,
            assignee, opened_at, opened_by, next_deadline_at, unread_answers)
        SELECT public.made_id({CASE}, n), 1, public.made_id({ACCOUNT}, n % {ACCOUNTS}), 'billing_question',
            (ARRAY['new', 'in_progress', 'waiting_for_customer', 'waiting_for_vendor'])[1 + n % 4], '2026-03-01Z',
            'Question ' || n || ' about line ' || n % 97 || ' of an invoice',
            'The customer expected ' || n % 40 || ' seats'
                || CASE WHEN n % {RARE_EVERY} = 0 THEN ' and quarterly rebates' ELSE '' END,
            (ARRAY['billing', 'technical', 'vendor', 'fraud', 'tasks'])[1 + n % 5],
            CASE WHEN n % 3 = 0 THEN 'agent-' || n % 50 END, '2026-03-01Z', 'agent',
            '2026-03-02Z'::timestamptz + n * interval '1 second', 0
        FROM generate_series(0, {cases} - 1) AS n
        """,
        f"""
        INSERT INTO escalation.entries (id, case_id, kind, audience, actor, content, details, entered_at)
        SELECT gen_random_uuid(), public.made_id({CASE}, n), 'note', 'internal', 'agent',
            'Note ' || m || ' of ' || n || ': compared with the order, asked a colleague, waits for an answer', '{{}}',
            '2026-03-01Z'
        FROM generate_series(0, {cases} - 1) AS n, generate_series(1, {ENTRIES}) AS m
        """,
        """
        INSERT INTO escalation.case_words (text_id, case_id, words)
        SELECT id, id, to_tsvector('simple', subject || ' ' || description) FROM escalation.cases
        UNION ALL SELECT id, case_id, to_tsvector('simple', content) FROM escalation.entries
        """,
    )


def _list_clocks(clocks: int) -> tuple[str, ...]:
    """List the statements that fill the database with clocks that have run out, and their accounts."""
    return (
        f"""
        INSERT INTO escalation.case_clocks (case_id, whose, which, run, account_id, minutes, business_days,
            is_round_the_clock, warn_minutes, began_at, pauses, due_at, warn_at, wake_at)
        SELECT public.made_id({CASE}, n), 'ours', 'first', 1, public.made_id({ACCOUNT}, n % {ACCOUNTS}), 480, 0, false,
            60, '2026-03-01Z', '[]', now() - interval '1 minute', now() - interval '1 hour', now() - interval '1 minute'
        FROM generate_series(0, {clocks} - 1) AS n
        """,
        f"""
        INSERT INTO escalation.streams (subject, sequence)
        SELECT public.made_id({ACCOUNT}, n)::text, 1 FROM generate_series(0, {ACCOUNTS} - 1) AS n
        """,
    )


def _build_units(stage: Stage) -> Units:
    settings = Settings(database_url=stage.url("escalation"), jwks_file=stage.folder / "none", issuer="none")
    return Units(settings, LoopWakeups())


def _build_get(token: str, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n".encode()


def _build_requests(token: str, cases: int) -> dict[str, tuple[Request, float]]:
    """Build what is asked, each with the seconds within which 99 of 100 are to be answered."""
    queues = ("billing", "technical", "vendor", "fraud")
    words = (quote("quarterly rebates"), quote("rebates"), quote('"quarterly rebates"'))

    def read_case(number: int) -> bytes:
        case_id = made_id(CASE, number * 7919 % cases)
        path = f"/v1/cases/{case_id}" if number % 2 else f"/v1/cases/{case_id}/entries"
        return _build_get(token, path)

    return {
        "a page of 50 of a work list": (
            lambda number: _build_get(
                token, f"/v1/cases?queue={queues[number % 4]}&state=in_progress&limit=50&is_assigned=false"
            ),
            FLOOR_LIST,
        ),
        "a page of 50 by deadline": (
            lambda number: _build_get(token, f"/v1/cases-by-deadline?queue={queues[number % 4]}&limit=50"),
            FLOOR_LIST,
        ),
        "a search by words that 500 cases have": (
            lambda number: _build_get(token, f"/v1/case-search?words={words[number % 3]}"),
            FLOOR_SEARCH,
        ),
        "a search by words that all cases have": (
            lambda _: _build_get(token, "/v1/case-search?words=question+invoice"),
            FLOOR_SEARCH,
        ),
        "a case, or its thread": (read_case, FLOOR_CASE),
        "a search among resources": (
            lambda number: _build_get(token, f"/v1/support-resource-search?words=records+{number % 50}"),
            FLOOR_RESOURCES,
        ),
    }


async def _fill(stage: Stage, cases: int, clocks: int) -> None:
    owner = await asyncpg.connect(stage.url())
    for statement in (*_list_texts(cases), *_list_clocks(clocks)):
        await owner.execute(statement)
    await analyze(owner)
    await owner.close()


async def _import(stage: Stage) -> float:
    """Seconds in which a file of resources is written."""
    lines = [
        {
            "reference": f"kb-{number}",
            "kind": "knowledge_base",
            "title": f"Records of domain {number}",
            "content": f"Check record {number % 50}, and the records of the domain. " * 8,
            "language": ("en", "de", "fr", "ru")[number % 4],
            "products": ["Mail"],
            "link": None,
            "valid_from": None,
            "valid_to": None,
            "response_times": None,
            "contract_number": None,
            "requests_left": None,
            "channel": None,
        }
        for number in range(RESOURCES)
    ]

    async def take(unit: Unit) -> int:
        return await resources.import_support_resources(unit, lines, "benchmark")

    started = time.perf_counter()
    assert await _build_units(stage).run(take) == RESOURCES
    return time.perf_counter() - started


async def _announce(stage: Stage, clocks: int) -> float:
    """Deadlines that are announced in a second, in units of as many accounts as a sweep claims."""
    units, due = _build_units(stage), "SELECT account_id::text FROM case_clocks WHERE wake_at <= $1 ORDER BY wake_at"

    async def announce(unit: Unit) -> int:
        account_ids = await unit.claim_due_accounts(due, 200)
        if account_ids:
            await case_clocks.announce_due_clocks(unit, account_ids)
        return len(account_ids)

    started = time.perf_counter()
    while await units.run(announce):
        pass
    taken = time.perf_counter() - started
    owner = await asyncpg.connect(stage.url())
    missed = await owner.fetchval("SELECT count(*) FROM escalation.case_clocks WHERE missed_at IS NOT NULL")
    await owner.close()
    assert missed == clocks, f"{missed} of {clocks} deadlines were announced"
    return clocks / taken


async def _run(cases: int, clocks: int, reads: int, warm: int) -> list[Row]:
    async with staged() as stage:
        keys = SigningKeyPair(stage.folder / "keys")
        keys.publish(stage.folder / "jwks.json")
        await _fill(stage, cases, clocks)
        imported = await _import(stage)
        port, rows = find_free_port(), []
        with running(stage, stage.process("escalation", "api", port=port)):
            await wait_until_up(port)
            async with open_callers(port) as callers:
                for name, (request, floor) in _build_requests(keys.token("escalation"), cases).items():
                    await ask_all(callers, request, 0, warm, 200)
                    _, p99 = await ask_all(callers, request, warm, reads, 200)
                    _, bare_p99 = await ask_all(callers, ask_whether_alive, 0, reads, 200)
                    name = f"99 of 100 within, {cases:,} cases, {CONNECTIONS} connections: {name}"
                    rows.append(row(name, p99, "s", floor, bare_p99, "lower"))
        announced = await _announce(stage, clocks)
    return [
        *rows,
        row("deadlines of answers announced", announced, "deadlines/s", FLOOR_CLOCKS, None, "higher"),
        row(f"import of {RESOURCES:,} support resources", imported, "s", FLOOR_IMPORT_SECONDS, None, "lower"),
    ]


def measure(cases: int = CASES, clocks: int = CLOCKS, reads: int = READS, warm: int = WARM) -> list[Row]:
    """Measure the rows of the report."""
    return asyncio.run(_run(cases, clocks, reads, warm))


if __name__ == "__main__":
    for figure in measure(int(sys.argv[1]) if len(sys.argv) > 1 else CASES):
        print(orjson.dumps(figure).decode())
