"""Support resources and what came of them in cases."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from services.escalation.tables import TEXT_SEARCHES, ResourceUseRow, SupportResourceRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound

COLUMNS = tuple(SupportResourceRow.model_fields)
USES = """
    (SELECT count(*) FROM resource_uses u WHERE u.resource_id = r.id) AS uses,
    (SELECT count(*) FROM resource_uses u WHERE u.resource_id = r.id AND u.result = 'helped') AS helped
"""


async def get_support_resource(unit: Unit, resource_id: UUID) -> SupportResourceRow:
    """Get a resource as it is now. Raises NotFound."""
    row = await unit.session.get(SupportResourceRow, resource_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no support resource {resource_id}")
    return row


async def get_resource_with_uses(unit: Unit, resource_id: UUID) -> asyncpg.Record:
    """Get a resource with how often it was consulted and helped. Raises NotFound."""
    row = await unit.connection.fetchrow(f"SELECT r.*, {USES} FROM support_resources r WHERE r.id = $1", resource_id)
    if row is None:
        raise NotFound(f"there is no support resource {resource_id}")
    return row


async def find_resource_by_reference(unit: Unit, reference: str) -> UUID | None:
    """Find the resource of a reference."""
    query = "SELECT id FROM support_resources WHERE reference = $1"
    resource_id: UUID | None = await unit.connection.fetchval(query, reference)
    return resource_id


async def save_support_resource(unit: Unit, row: SupportResourceRow) -> None:
    """Write a resource, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def save_resource_words(unit: Unit, references: Sequence[str]) -> None:
    """Write the words of these resources by which they are found."""
    configuration = " ".join(f"WHEN '{language}' THEN '{name}'" for language, name in TEXT_SEARCHES.items())
    await unit.connection.execute(
        f"""
        INSERT INTO resource_words (resource_id, language, words)
        SELECT id, language, to_tsvector((CASE language {configuration} END)::regconfig, title || ' ' || content)
        FROM support_resources WHERE reference = ANY ($1)
        ON CONFLICT (resource_id) DO UPDATE SET language = EXCLUDED.language, words = EXCLUDED.words
        """,
        references,
    )


async def plan_contract_warnings(unit: Unit, references: Sequence[str], lead: timedelta) -> None:
    """Plan when the ends of these premier contracts are warned of, so long before; each end once.

    Their streams are locked, and there from then on.
    """
    contracts = await unit.connection.fetch(
        "SELECT id, valid_to FROM support_resources WHERE reference = ANY ($1) AND kind = 'premier_contract'",
        references,
    )
    await unit.lock_subjects(*(contract["id"] for contract in contracts))
    await unit.connection.execute(
        """
        DELETE FROM contract_warnings w USING support_resources r
        WHERE r.id = w.resource_id AND r.reference = ANY ($1) AND (r.valid_to IS NULL OR r.kind <> 'premier_contract')
        """,
        references,
    )
    await unit.connection.execute(
        """
        INSERT INTO contract_warnings (resource_id, valid_to, warn_at)
        SELECT id, valid_to, valid_to::timestamp AT TIME ZONE 'UTC' - $2::interval FROM support_resources
        WHERE reference = ANY ($1) AND kind = 'premier_contract' AND valid_to IS NOT NULL
        ON CONFLICT (resource_id) DO UPDATE SET valid_to = EXCLUDED.valid_to, warn_at = EXCLUDED.warn_at
        WHERE contract_warnings.valid_to <> EXCLUDED.valid_to
        """,
        references,
        lead,
    )


async def take_contract_warnings(unit: Unit, resource_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Take the warnings that are due for these contracts; the contracts as they are."""
    query = """
        UPDATE contract_warnings w SET warn_at = NULL FROM support_resources r
        WHERE r.id = w.resource_id AND w.resource_id = ANY ($1) AND w.warn_at <= $2
        RETURNING r.id, r.valid_to, r.requests_left
    """
    return await unit.connection.fetch(query, resource_ids, unit.now)  # type: ignore[no-any-return]


async def insert_resource_use(unit: Unit, row: ResourceUseRow) -> None:
    """Insert that a resource was consulted, for good."""
    unit.session.add(row)
    await unit.session.flush()


async def upsert_support_resources(unit: Unit, rows: Sequence[SupportResourceRow]) -> int:
    """Write resources by their references, in one statement; how many of them are new."""
    columns = ", ".join(COLUMNS)
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS if name not in ("id", "reference", "version"))
    await unit.connection.execute(
        "CREATE TEMPORARY TABLE imported (LIKE support_resources INCLUDING DEFAULTS) ON COMMIT DROP"
    )
    await unit.connection.copy_records_to_table(
        "imported", records=[tuple(getattr(row, name) for name in COLUMNS) for row in rows], columns=COLUMNS
    )
    result = await unit.connection.fetchval(
        f"""
        WITH written AS (
            INSERT INTO support_resources ({columns}) SELECT {columns} FROM imported
            ON CONFLICT (reference) DO UPDATE SET {updates}, version = support_resources.version + 1
            RETURNING xmax = 0 AS is_new
        )
        SELECT count(*) FILTER (WHERE is_new) FROM written
        """
    )
    return int(result)
