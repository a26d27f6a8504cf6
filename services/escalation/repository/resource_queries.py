"""Support resources: kept, searched by words of their language, and suggested for cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.escalation.tables import RESOURCE_WORDS, TEXT_SEARCH, CaseRow, ResourceUseRow, SupportResourceRow
from shared.database import Unit
from shared.errors import NotFound

COLUMNS = tuple(SupportResourceRow.model_fields)
_MARKS = "StartSel=**, StopSel=**, MaxFragments=2, MaxWords=20, MinWords=5"
"""How an excerpt shows the words that were found."""
_USES = """
    (SELECT count(*) FROM resource_uses u WHERE u.resource_id = r.id) AS uses,
    (SELECT count(*) FROM resource_uses u WHERE u.resource_id = r.id AND u.result = 'helped') AS helped
"""


@dataclass(frozen=True, slots=True)
class ResourceCriteria:
    """Criteria of the resources that are wanted; None is any. `valid_on` leaves out what has lapsed by a day."""

    kind: str | None = None
    language: str | None = None
    product: str | None = None
    valid_on: date | None = None

    def build_where(self, arguments: list[Any]) -> str:
        """Build the condition, which names only what is asked for; its values are added to the arguments."""
        compared = (
            ("r.kind = {}", self.kind),
            ("r.language = {}", self.language),
            ("{} = ANY (r.products)", self.product),
            ("coalesce({0} BETWEEN coalesce(r.valid_from, {0}) AND coalesce(r.valid_to, {0}), true)", self.valid_on),
        )
        clauses = ["true"]
        for clause, value in compared:
            if value is not None:
                arguments.append(value)
                clauses.append(clause.format(f"${len(arguments)}"))
        return " AND ".join(clauses)


async def get_resource(unit: Unit, resource_id: UUID) -> SupportResourceRow:
    """Get a resource as it is now. Raises NotFound."""
    row = await unit.session.get(SupportResourceRow, resource_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no support resource {resource_id}")
    return row


async def get_shown(unit: Unit, resource_id: UUID) -> asyncpg.Record:
    """Get a resource with how often it was consulted and helped. Raises NotFound."""
    row = await unit.connection.fetchrow(f"SELECT r.*, {_USES} FROM support_resources r WHERE r.id = $1", resource_id)
    if row is None:
        raise NotFound(f"there is no support resource {resource_id}")
    return row


async def find_by_reference(unit: Unit, reference: str) -> UUID | None:
    """Find the resource of a reference."""
    query = "SELECT id FROM support_resources WHERE reference = $1"
    resource_id: UUID | None = await unit.connection.fetchval(query, reference)
    return resource_id


async def save_resource(unit: Unit, row: SupportResourceRow) -> None:
    """Write a resource, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def plan_warnings(unit: Unit, references: Sequence[str], lead: timedelta) -> None:
    """Plan when the ends of these premier contracts are warned of, so long before; each end once.

    Their streams are locked, and there from then on.
    """
    contracts = await unit.connection.fetch(
        "SELECT id, valid_to FROM support_resources WHERE reference = ANY ($1) AND kind = 'premier_contract'",
        references,
    )
    await unit.lock(*(contract["id"] for contract in contracts))
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


async def take_warnings(unit: Unit, resource_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Take the warnings that are due for these contracts; the contracts as they are."""
    query = """
        UPDATE contract_warnings w SET warn_at = NULL FROM support_resources r
        WHERE r.id = w.resource_id AND w.resource_id = ANY ($1) AND w.warn_at <= $2
        RETURNING r.id, r.valid_to, r.requests_left
    """
    return await unit.connection.fetch(query, resource_ids, unit.now)  # type: ignore[no-any-return]


async def list_resources(
    unit: Unit, criteria: ResourceCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """List resources in the order of their ids, after this one."""
    arguments: list[Any] = []
    where = criteria.build_where(arguments)
    if after is not None:
        arguments.append(after)
        where = f"{where} AND r.id > ${len(arguments)}"
    arguments.append(limit)
    query = f"SELECT r.*, {_USES} FROM support_resources r WHERE {where} ORDER BY r.id LIMIT ${len(arguments)}"
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def search_resources(unit: Unit, words: str, criteria: ResourceCriteria, limit: int) -> list[asyncpg.Record]:
    """Find resources by words, each in its language, the best first, with an excerpt."""
    arguments: list[Any] = [words]
    where = criteria.build_where(arguments)
    arguments.append(limit)
    query = f"""
        WITH asked AS MATERIALIZED (
            SELECT language AS asked_language, websearch_to_tsquery({TEXT_SEARCH}, $1) AS words
            FROM unnest(ARRAY['en', 'de', 'fr', 'ru']) AS language
        ), best AS MATERIALIZED (
            SELECT r.*, words, ts_rank({RESOURCE_WORDS}, words) AS rank
            FROM support_resources r JOIN asked ON asked_language = language
            WHERE {RESOURCE_WORDS} @@ words AND {where} ORDER BY rank DESC, r.id LIMIT ${len(arguments)}
        )
        SELECT r.*, {_USES}, ts_headline({TEXT_SEARCH}, title || ' ' || content, words, '{_MARKS}') AS excerpt
        FROM best r ORDER BY rank DESC, r.id
    """
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def suggest_resources(unit: Unit, case: CaseRow, day: date, limit: int) -> list[asyncpg.Record]:
    """Suggest resources for a case: by its words, its product, and what helped in cases of its kind.

    What has lapsed, or was consulted in this case already, is not suggested.
    """
    query = f"""
        WITH asked AS MATERIALIZED (
            SELECT language AS asked_language,
                replace(plainto_tsquery({TEXT_SEARCH}, $1)::text, '&', '|')::tsquery AS words
            FROM unnest(ARRAY['en', 'de', 'fr', 'ru']) AS language
        ), fitting AS (
            SELECT r.*, ts_rank({RESOURCE_WORDS}, words) AS word_rank, coalesce($2 = ANY (products), false) AS fits,
                (SELECT count(*) FROM resource_uses u
                    WHERE u.resource_id = r.id AND u.result = 'helped' AND u.case_kind = $3) AS helped_kind
            FROM support_resources r JOIN asked ON asked_language = language
            WHERE ({RESOURCE_WORDS} @@ words OR $2 = ANY (products))
                AND (valid_from IS NULL OR valid_from <= $4) AND (valid_to IS NULL OR valid_to >= $4)
                AND requests_left IS DISTINCT FROM 0
                AND NOT EXISTS (SELECT FROM resource_uses u WHERE u.resource_id = r.id AND u.case_id = $5)
        )
        SELECT r.*, {_USES}, word_rank + CASE WHEN fits THEN 0.2 ELSE 0 END + 0.2 * ln(1 + helped_kind) AS score
        FROM fitting r ORDER BY score DESC, r.id LIMIT $6
    """
    text = f"{case.subject} {case.description or ''}"
    return await unit.connection.fetch(query, text, case.product, case.kind, day, case.id, limit)  # type: ignore[no-any-return]


async def insert_use(unit: Unit, row: ResourceUseRow) -> None:
    """Insert that a resource was consulted, for good."""
    unit.session.add(row)
    await unit.session.flush()


async def import_resources(unit: Unit, rows: Sequence[SupportResourceRow]) -> int:
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
