"""Tables as the migrations make them and as classes map them, and what each role can do with them."""

from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.architecture.source import BACKBONE, ROOT, SERVICES
from tests.builders import Database

APPEND_ONLY = {
    "invoicing": {
        "invoices",
        "invoice_lines",
        "balance_changes",
        "credit_notes",
        "credit_note_lines",
        "credited_charges",
        "plan_versions",
        "plan_prices",
        "vendor_charges",
        "usage_lines",
        "ledger_accounts",
        "ledger_entries",
        "ledger_periods",
        "bank_imports",
        "bank_refused_entries",
        "bank_proposals",
        "reconciliation_customer_sums",
        "refund_parts",
        "document_parties",
        "former_buyers",
        "former_sellers",
    },
    "collections": {"policies", "overdues", "guard_decisions"},
    "entitlements": set[str](),
    "escalation": {"chargeback_evidence", "entries", "resource_uses"},
}

SHAPE = """
SELECT t.relname AS table, 'column ' || a.attname AS what,
    format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') || a.attidentity::text AS definition
FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE t.relnamespace = $1::text::regnamespace AND t.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT t.relname, 'key', pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
WHERE t.relnamespace = $1::text::regnamespace AND c.contype = 'p'
"""
"""Columns and primary keys of a schema: that is what classes map. What else a table has, `schema.sql` shows."""

Shape = set[tuple[str, str, str]]


def load_declared(service: str) -> MetaData:
    """Load the tables that classes of a service map."""
    metadata = import_module(f"services.{service}.tables").METADATA
    assert isinstance(metadata, MetaData)
    return metadata


async def shape(database: Database, schema: str, *, alias: str | None = None) -> Shape:
    """Read the parts of a schema, beside the backbone; `alias` stands for its name in definitions."""
    rows = await database.rows(SHAPE, schema)
    assert rows
    named = (f"{schema}.", f"{alias or schema}.")
    return {
        (row["table"], row["what"], row["definition"].replace(*named)) for row in rows if row["table"] not in BACKBONE
    }


async def make(database: Database, schema: str, metadata: MetaData) -> None:
    """Make the declared tables in a schema of their own, beside those of the migrations."""

    def create(connection: Connection) -> None:
        connection.execute(text(f"ALTER SCHEMA {schema} RENAME TO migrated"))
        connection.execute(text(f"CREATE SCHEMA {schema}"))
        metadata.create_all(connection, checkfirst=False)

    url = database.server.url(database=database.name).replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(create)
    finally:
        await engine.dispose()


async def differences(database: Database, service: str) -> Shape:
    """List in what the migrated tables and those that classes map differ, in either direction."""
    mapped = set(_list_mapped(service))
    await make(database, service, load_declared(service))
    migrated = {part for part in await shape(database, "migrated", alias=service) if part[0] in mapped}
    return migrated ^ await shape(database, service)


@pytest.mark.parametrize("service", SERVICES)
async def test_migrations_make_what_classes_map(database: Database, service: str) -> None:
    assert await differences(database, service) == set()


@pytest.mark.parametrize(
    ("drift", "what"),
    [
        ("ALTER TABLE collections.notices ADD COLUMN forgotten text", "column forgotten"),
        ("ALTER TABLE collections.notices ALTER COLUMN template TYPE varchar(40)", "column template"),
        ("ALTER TABLE collections.notices ALTER COLUMN template DROP NOT NULL", "column template"),
        ("ALTER TABLE collections.notices ALTER COLUMN template SET DEFAULT 'x'", "column template"),
        ("ALTER TABLE collections.notices DROP CONSTRAINT notices_pkey CASCADE", "key"),
    ],
)
async def test_drift_is_seen(database: Database, drift: str, what: str) -> None:
    await database.execute(drift)
    drifts = {(table, name) for table, name, _ in await differences(database, "collections")}
    assert ("notices", what) in drifts
    assert {table for table, _ in drifts} == {"notices"}


@pytest.mark.parametrize("service", SERVICES)
async def test_every_schema_has_the_backbone(database: Database, service: str) -> None:
    tables = await list_tables(database, service)
    assert set(tables) >= BACKBONE | set(_list_mapped(service))
    assert len(tables) > len(BACKBONE)


async def list_tables(database: Database, service: str) -> list[str]:
    """List the tables of a service by name."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY tablename"
    return [row["tablename"] for row in await database.rows(query, service)]


def _list_mapped(service: str) -> list[str]:
    return [table.name for table in load_declared(service).sorted_tables]


def _migration(path: Path) -> Any:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _append_only(service: str) -> set[str]:
    """List what the migrations of a service declare to be append-only, each for the tables that it makes or drops."""
    versions = ROOT / "services" / service / "migrations" / "versions"
    migrations = [_migration(path) for path in versions.glob("*.py")]
    declared = {table for migration in migrations for table in getattr(migration, "APPEND_ONLY", ())}
    ended = [
        name for migration in migrations for kind in ("DROPPED", "DELETABLE") for name in getattr(migration, kind, ())
    ]
    return declared - set(ended)


async def is_refused(connection: asyncpg.Connection, statement: str) -> bool:
    """Whether a role may not do this; what it may is undone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    finally:
        await transaction.rollback()
    return False


FIRST_COLUMN = """
SELECT attname FROM pg_attribute WHERE attrelid = format('%I.%I', $1::text, $2::text)::regclass AND attnum > 0
    AND NOT attisdropped AND attidentity = '' ORDER BY attnum LIMIT 1
"""
"""The first column that a role could write; of some tables it may rewrite later ones, as words that are removed."""


async def rewritable(database: Database, service: str, tables: set[str]) -> set[str]:
    """Those of a service's tables whose rows its role could change or delete."""
    async with database.connected(service) as connection:
        rewritable_tables = set()
        for table in tables:
            column = await database.value(FIRST_COLUMN, service, table)
            update = f"UPDATE {service}.{table} SET {column} = {column}"
            kept = [await is_refused(connection, statement) for statement in (update, f"DELETE FROM {service}.{table}")]
            if not all(kept):
                rewritable_tables.add(table)
        return rewritable_tables


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_append_only_cannot_be_rewritten(database: Database, service: str) -> None:
    assert _append_only(service) == APPEND_ONLY[service]
    assert await rewritable(database, service, APPEND_ONLY[service]) == set()


async def test_a_rewritable_table_is_seen(database: Database) -> None:
    await database.execute("GRANT UPDATE ON invoicing.credit_notes TO invoicing")
    await database.execute("GRANT DELETE ON invoicing.invoices TO invoicing")
    assert await rewritable(database, "invoicing", APPEND_ONLY["invoicing"]) == {"credit_notes", "invoices"}


REACH = """
SELECT DISTINCT n.nspname || '.' || c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
    unnest(CASE c.relkind WHEN 'S' THEN ARRAY['USAGE', 'SELECT', 'UPDATE']
        ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'] END) AS right_
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', $2)
  AND c.relkind IN ('r', 'v', 'm', 'p', 'S')
  AND has_schema_privilege($1, n.oid, 'USAGE')
  AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege($1, c.oid, right_)
        ELSE has_table_privilege($1, c.oid, right_) AND NOT (n.nspname = 'clock' AND right_ = 'SELECT') END
"""


async def reach(database: Database, role: str) -> set[str]:
    """List what a role can touch outside of its own schema, but for a look at the sandbox's clock."""
    return {row["name"] for row in await database.rows(REACH, role, role)}


async def powers(database: Database, service: str) -> list[str]:
    """List what a service's role could do to the shape of its own schema."""
    table = f"{service}.{(await _list_own(database, service))[0]}"
    attempts = [
        f"CREATE TABLE {service}.own (id int)",
        f"ALTER TABLE {table} ADD COLUMN more text",
        f"DROP TABLE {table} CASCADE",
        f"TRUNCATE {table} CASCADE",
        f"CREATE INDEX ON {table} ({await database.value(FIRST_COLUMN, *table.split('.'))})",
        f"UPDATE {service}.alembic_version SET version_num = version_num",
        "CREATE TABLE public.own (id int)",
        "CREATE SCHEMA own",
        "CREATE ROLE own",
    ]
    async with database.connected(service) as connection:
        return [attempt for attempt in attempts if not await is_refused(connection, attempt)]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_touches_its_own_schema_only(database: Database, service: str) -> None:
    assert await reach(database, service) == set()
    assert await powers(database, service) == []
    async with database.connected(service) as connection:
        for other in set(SERVICES) - {service}:
            for table in await _list_own(database, other):
                assert await is_refused(connection, f"SELECT 1 FROM {other}.{table}")
        for table in await _list_own(database, service):
            assert not await is_refused(connection, f"SELECT 1 FROM {service}.{table}")


async def _list_own(database: Database, service: str) -> list[str]:
    """List the tables of a service without the backbone, which all services have."""
    return [table for table in await list_tables(database, service) if table not in BACKBONE]


async def test_reach_and_powers_are_seen(database: Database) -> None:
    await database.execute("GRANT USAGE ON SCHEMA invoicing TO collections")
    await database.execute("GRANT SELECT ON invoicing.accounts TO collections")
    await database.execute("GRANT UPDATE ON clock.clock TO collections")
    await database.execute("GRANT CREATE ON SCHEMA collections TO collections")
    await database.execute("ALTER TABLE collections.items OWNER TO collections")
    assert await reach(database, "collections") == {"invoicing.accounts", "clock.clock"}
    assert "CREATE TABLE collections.own (id int)" in await powers(database, "collections")


async def test_the_monitor_looks_and_changes_nothing(database: Database) -> None:
    async with database.connected("monitor") as connection:
        for service in SERVICES:
            assert not await is_refused(connection, f"SELECT * FROM {service}.pending_work")
            assert await is_refused(connection, f"DELETE FROM {service}.published")
            for table in await _list_own(database, service):
                assert await is_refused(connection, f"SELECT * FROM {service}.{table}")
