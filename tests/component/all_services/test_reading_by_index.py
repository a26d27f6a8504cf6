"""Reads of a unit: it finds accounts by index, however many others there are."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from services.collections import jobs as collections_jobs
from services.collections.repository import fact_queries, suspension_queries
from services.invoicing import jobs as invoicing_jobs
from services.invoicing.accounts.repository import account_search
from services.invoicing.accounts.repository.account_search import AccountSearchCriteria
from services.invoicing.billing.repository import (
    bill_chunk,
    chunk_drafting_statements,
    chunk_issuing_statements,
    lapse_queries,
)
from services.invoicing.receivables.repository import invoice_queries
from services.invoicing.receivables.repository.invoice_search import InvoiceSearchCriteria, build_invoice_search
from shared.persistence import outbox, subject_streams
from shared.persistence.audit_queries import AuditCriteria, build_audit_query
from shared.process.sweeps import Sweep
from tests.builders import Database, insert_legal_entities

SOME = [uuid4(), uuid4()]
NOW = datetime(2026, 3, 2, tzinfo=UTC)


RUN = uuid4()
MANY = (
    "SET search_path TO invoicing",
    "SET session_replication_role TO replica",  # what charges refer to is not looked at
    "INSERT INTO streams SELECT gen_random_uuid(), 1 FROM generate_series(1, 20000)",
    f"INSERT INTO bill_runs VALUES ('{RUN}', '2026-03-01', 'issuing', true, 'us', now(), NULL, NULL, NULL)",
    f"INSERT INTO bill_run_accounts SELECT '{RUN}', subject::uuid, 'waiting', now(), NULL, NULL FROM streams",
    "INSERT INTO charges SELECT gen_random_uuid(), subject::uuid, gen_random_uuid(), 'cycle', NULL, gen_random_uuid(),"
    " 1, '2026-02-01', '2026-03-01', '2026-02-01', '2026-03-01', 1, 100, 100, 'EUR', '2026-03-01', false, 0,"
    " gen_random_uuid(), now(), 0, 0 FROM streams",
    "ANALYZE streams, bill_run_accounts, charges",
)
CHUNK = (
    bill_chunk.TEMPORARY_TABLES,
    "INSERT INTO bill_invoices (account_id, invoice_id)"
    " SELECT subject::uuid, gen_random_uuid() FROM streams LIMIT 2000",
    "INSERT INTO bill_lines (invoice_id, line, net_minor, tax_minor) SELECT invoice_id, 1, 100, 19 FROM bill_invoices",
    "ANALYZE bill_invoices, bill_lines",
)
"""A tenth of the accounts of a run, as the temporary tables have them."""
OTHERS = {"streams", "bill_run_accounts", "charges"}
OF_A_CHUNK: dict[str, tuple[str, list[object]]] = {
    "lines": (chunk_drafting_statements.DRAW_UP_LINES, [NOW.date()]),
    "lapses of drafts": (lapse_queries.LAPSE_DRAFTED_REVERSALS, []),
    "ledger": (chunk_issuing_statements.POST_ENTRIES, [NOW]),
    "balances": (chunk_issuing_statements.INSERT_BALANCE_CHANGES, [NOW]),
    "events": (outbox._WRITE_EACH.format(told=chunk_issuing_statements.BUILD_INVOICE_ISSUED), ["type", "{}"]),
    "state": (chunk_issuing_statements.MOVE_ACCOUNTS, [RUN, "issued", False, None]),
    "nothing": (chunk_drafting_statements.FINISH_EMPTY_ACCOUNTS, [RUN]),
    "rejected": (chunk_drafting_statements.RELEASE_CHARGES, [RUN]),
    "kept": (chunk_drafting_statements.DROP_FINISHED_INVOICES, [RUN]),
}


async def read_whole(database: Database, service: str, query: str, *arguments: object) -> set[str]:
    """The tables that a query reads from one end to the other, since no index serves it."""
    async with database.connected(service) as connection:
        await connection.execute("SET enable_seqscan = off")
        return await list_scanned_tables(connection, "Seq Scan", query, *arguments)


async def list_scanned_tables(connection: asyncpg.Connection, how: str, query: str, *arguments: object) -> set[str]:
    """List the tables that a query reads in one way, as it is planned."""
    plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *arguments))
    return set(re.findall(rf"{how}(?: using \w+)? on (\w+)", plan))


@pytest.mark.parametrize(
    "name", ["ACCOUNTS", "BALANCES", "DEFERRALS", "ITEMS", "OVERDUES", "PROMISES", "STEPS", "SUSPENSIONS"]
)
async def test_the_facts_of_accounts(database: Database, name: str) -> None:
    query = getattr(fact_queries, f"_{name}")
    arguments = [SOME] * len(set(re.findall(r"\$\d", query)))
    assert await read_whole(database, "collections", query, *arguments) == set()


async def test_the_suspensions_of_accounts(database: Database) -> None:
    query = (
        f"{suspension_queries._SUSPENSIONS} WHERE account_id = ANY($1::uuid[]) AND state IN ('requested', 'effective')"
    )
    assert await read_whole(database, "collections", query, SOME) == set()
    assert await read_whole(database, "collections", suspension_queries._CAUSES, SOME) == set()


async def test_the_open_and_the_due_invoices_of_accounts(database: Database) -> None:
    assert await read_whole(database, "invoicing", invoice_queries._OPEN, SOME, SOME) == set()
    assert await read_whole(database, "invoicing", invoice_queries._DUE, SOME, NOW) == set()


@pytest.mark.parametrize("sweep", [*collections_jobs.SWEEPS, *invoicing_jobs.SWEEPS], ids=lambda sweep: sweep.name)
async def test_what_is_due(database: Database, sweep: Sweep) -> None:
    service = "collections" if sweep in collections_jobs.SWEEPS else "invoicing"
    tables = await read_whole(database, service, subject_streams._CLAIM.format(due=sweep.due), NOW, 10, 40, [])
    assert tables <= {"bill_runs"}, "one row a run"


async def test_a_chunk_of_a_bill_run_reads_no_others(database: Database) -> None:
    await database.execute("; ".join(MANY))
    async with database.connected("invoicing") as connection, connection.transaction():
        await connection.execute("; ".join(CHUNK))
        for name, (query, arguments) in OF_A_CHUNK.items():
            assert not await list_scanned_tables(connection, "Seq Scan", query, *arguments) & OTHERS, name
            assert await list_scanned_tables(connection, "(?:Index|Bitmap Heap) Scan", query, *arguments) & OTHERS, name


INVOICES = (
    "SET search_path TO invoicing",
    "SET session_replication_role TO replica",  # accounts of invoices are not looked at
    "INSERT INTO invoices SELECT gen_random_uuid(), gen_random_uuid(), 'E' || n % 40, 'E' || n % 40 || '-' || n,"
    " CASE n % 50 WHEN 0 THEN 'r' || n END, 'EUR', '2025-01-01', date '2025-01-01' + n % 900, 100, now()"
    " FROM generate_series(1, 20000) n",
    "INSERT INTO invoice_states SELECT id, account_id, CASE total_minor WHEN 100 THEN (random() < 0.02)::int * 100 END,"
    " timestamptz '2025-01-01' + random() * interval '400 days', NULL, NULL FROM invoices",
    "UPDATE invoice_states SET overdue_at = now() WHERE open_minor > 0 AND random() < 0.5",
    "ANALYZE invoices, invoice_states",
)
SEARCHES = {
    "account": (InvoiceSearchCriteria(account_id=RUN), "invoices_account_id_external_reference_key"),
    "number": (InvoiceSearchCriteria(number="E7-7"), "invoices_legal_entity_number_key"),
    "reference": (InvoiceSearchCriteria(external_reference="r50"), "invoices_by_external_reference"),
    "entity": (InvoiceSearchCriteria(legal_entity="E7"), "invoices_by_entity"),
    "open": (InvoiceSearchCriteria(state="open"), "invoice_states_open|invoice_states_by_amount"),
    "overdue": (InvoiceSearchCriteria(state="overdue"), "invoice_states_overdue"),
    "closed": (InvoiceSearchCriteria(state="closed"), "invoices_pkey|invoice_states_pkey"),
    "due": (InvoiceSearchCriteria(due_from=NOW.date(), due_to=NOW.date()), "invoices_by_due_date"),
    "updated": (InvoiceSearchCriteria(updated_since=datetime(2026, 2, 3, tzinfo=UTC)), "invoice_states_changed"),
    "all": (InvoiceSearchCriteria(), "invoices_pkey|invoice_states_pkey"),
}


async def test_invoices_are_found_by_the_index_of_what_is_asked_for(database: Database) -> None:
    await database.execute("; ".join(INVOICES))
    async with database.connected("invoicing") as connection:
        await connection.execute("SET enable_seqscan = off")
        for name, (criteria, index) in SEARCHES.items():
            query, arguments = build_invoice_search(criteria, None, 101)
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *arguments))
            assert re.search(rf"(using|on) ({index})\b", plan), f"{name}: {plan}"
            assert "Seq Scan" not in plan, f"{name}: {plan}"


ACCOUNTS = (
    "SET search_path TO invoicing",
    "INSERT INTO accounts (id, name, legal_entity, currency, time_zone, billing_email, terms_days, external_reference,"
    " vendor_customer_ids, country, tax_status, language, support_level, version, registered_at)"
    " SELECT gen_random_uuid(), 'Account ' || n, 'E' || n % 40, 'EUR', 'UTC', 'billing@account-' || n || '.example',"
    " 30, 'crm-' || n, ARRAY['tenant-' || n], 'DE', 'standard', 'en', 'standard', 1, now()"
    " FROM generate_series(1, 20000) n",
    "ANALYZE accounts",
)
ACCOUNT_SEARCHES = {
    "accounts_by_beginning": AccountSearchCriteria(name="account 177"),
    "accounts_by_email": AccountSearchCriteria(email="Billing@Account-7.example"),
    "accounts_by_vendor_id": AccountSearchCriteria(vendor_customer_id="tenant-7"),
    "accounts_by_entity": AccountSearchCriteria(legal_entity="E7"),
    "accounts_external_reference_key": AccountSearchCriteria(external_reference="crm-7"),
    "accounts_pkey": AccountSearchCriteria(),
}


async def test_accounts_are_found_by_the_index_of_what_is_asked_for(database: Database) -> None:
    await insert_legal_entities(database.server.url(database=database.name), [f"E{number}" for number in range(40)])
    await database.execute("; ".join(ACCOUNTS))
    async with database.connected("invoicing") as connection:
        for index, criteria in ACCOUNT_SEARCHES.items():
            query, arguments = account_search.build_account_search(criteria, None, 101)
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *arguments))
            assert re.search(rf"(using|on) {index}\b", plan), plan


ENTRIES = (
    "INSERT INTO invoicing.audit_entries SELECT gen_random_uuid(), timestamptz '2026-02-24' + n * interval '1 minute',"
    " 'actor-' || n % 50, 'a.b' || n % 40, gen_random_uuid(), 'a', gen_random_uuid()::text, 'c', NULL, NULL, '{}'"
    " FROM generate_series(1, 20000) n; ANALYZE invoicing.audit_entries"
)
CRITERIA = {
    "account": AuditCriteria(account_id=RUN),
    "actor": AuditCriteria(actor="actor-7"),
    "action": AuditCriteria(action="a.b7"),
    "object": AuditCriteria(object_id=str(RUN)),
    "time": AuditCriteria(since=NOW, until=datetime(2026, 3, 3, tzinfo=UTC)),
    "nothing": AuditCriteria(),
}


async def test_a_page_of_the_audit_is_found_by_the_index_of_what_is_asked_for(database: Database) -> None:
    await database.execute(ENTRIES)
    for last in (None, (NOW, RUN)):
        for name, criteria in CRITERIA.items():
            query, arguments = build_audit_query(criteria, last, 101)
            async with database.connected("invoicing") as connection:
                plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *arguments))
            index = "time" if name == "nothing" else name
            assert re.findall(r"Index Scan using audit_entries_by_(\w+)", plan) == [index], plan
            assert "Sort" not in plan, plan
