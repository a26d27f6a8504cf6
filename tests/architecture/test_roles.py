"""Each service's login role against every migrated table: nothing of another's, and no power over the shape of its own.

The catalogue says the same (test_schemas.py); here each statement is tried.
"""

import pytest

from tests.architecture.source import BACKBONE, SERVICES
from tests.architecture.test_schemas import is_refused
from tests.builders import Database

RELATIONS = """
SELECT c.relname AS name,
    (SELECT min(attname) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND attidentity = '' AND NOT attisdropped) AS column
FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p')
"""
READS_AND_WRITES = (
    "SELECT 1 FROM {table}",
    "INSERT INTO {table} OVERRIDING USER VALUE SELECT (NULL::{table}).* WHERE false",
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "LOCK TABLE {table} IN ACCESS SHARE MODE",
    "TRUNCATE {table} CASCADE",
)
SHAPES = (
    "ALTER TABLE {table} ADD COLUMN more text",
    "ALTER TABLE {table} OWNER TO {role}",
    "DROP TABLE {table} CASCADE",
    "TRUNCATE {table} CASCADE",
    "CREATE TRIGGER own BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
)


async def list_allowed(database: Database, role: str, schema: str, statements: tuple[str, ...]) -> set[str]:
    """Those of these statements that a role may run on some table of a schema; each is undone."""
    relations = await database.rows(RELATIONS, schema)
    assert {relation["name"] for relation in relations} >= BACKBONE
    async with database.connected(role) as connection:
        attempts = [
            statement.format(table=f"{schema}.{relation['name']}", column=relation["column"], role=role)
            for relation in relations
            for statement in statements
        ]
        return {attempt for attempt in attempts if not await is_refused(connection, attempt)}


@pytest.mark.parametrize("role", SERVICES)
async def test_a_role_neither_reads_nor_writes_any_table_of_another_service(database: Database, role: str) -> None:
    for other in sorted(set(SERVICES) - {role}):
        assert await list_allowed(database, role, other, READS_AND_WRITES + SHAPES) == set()


@pytest.mark.parametrize("role", SERVICES)
async def test_a_role_has_no_power_over_the_shape_of_any_table_of_its_own(database: Database, role: str) -> None:
    assert await list_allowed(database, role, role, SHAPES) == set()
    async with database.connected(role) as connection:
        assert await is_refused(connection, f"CREATE TABLE {role}.own (id int)")


async def test_what_is_allowed_is_seen(database: Database) -> None:
    await database.execute("GRANT USAGE ON SCHEMA invoicing TO collections")
    await database.execute("GRANT SELECT ON invoicing.parked TO collections")
    await database.execute("GRANT DELETE ON invoicing.outbox TO collections")
    await database.execute("GRANT TRUNCATE ON collections.outbox TO collections")
    statements = await list_allowed(database, "collections", "invoicing", READS_AND_WRITES)
    assert {"SELECT 1 FROM invoicing.parked", "DELETE FROM invoicing.outbox"} <= statements
    assert {attempt.split()[-1].rpartition(".")[0] for attempt in statements if "LOCK" not in attempt} == {"invoicing"}
    assert "TRUNCATE collections.outbox CASCADE" in await list_allowed(database, "collections", "collections", SHAPES)
