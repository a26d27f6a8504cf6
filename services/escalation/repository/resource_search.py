"""Support resources by what people ask for: lists, words of their language, and suggestions for a case."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.escalation.repository.resource_queries import COLUMNS, USES
from services.escalation.tables import TEXT_SEARCHES, CaseRow
from shared.persistence.database import Unit

_SHOWN = ", ".join(f"r.{name}" for name in COLUMNS)
_MARKS = "StartSel=**, StopSel=**, MaxFragments=2, MaxWords=20, MinWords=5"
"""How an excerpt shows the words that were found."""


@dataclass(frozen=True, slots=True)
class SupportResourceCriteria:
    """Criteria of the resources that are wanted; None is any. `valid_on` leaves out what has lapsed by a day."""

    kind: str | None = None
    language: str | None = None
    product: str | None = None
    valid_on: date | None = None

    def build_resource_condition(self, arguments: list[Any]) -> str:
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


async def list_support_resources(
    unit: Unit, criteria: SupportResourceCriteria, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """List resources in the order of their ids, after this one."""
    arguments: list[Any] = []
    where = criteria.build_resource_condition(arguments)
    if after is not None:
        arguments.append(after)
        where = f"{where} AND r.id > ${len(arguments)}"
    arguments.append(limit)
    query = f"SELECT r.*, {USES} FROM support_resources r WHERE {where} ORDER BY r.id LIMIT ${len(arguments)}"
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


def _build_union(query: str) -> str:
    """Build the query over the resources of all languages from that of one; each has an index of its own."""
    parts = (query.format(language=language, name=f"'{name}'") for language, name in TEXT_SEARCHES.items())
    return " UNION ALL ".join(parts)


_FOUND = _build_union(
    """
    SELECT resource_id, asked.words AS asked_words, ts_rank(w.words, asked.words) AS rank, {name}::regconfig AS form
    FROM resource_words w, websearch_to_tsquery({name}, $1) AS asked (words)
    WHERE w.language = '{language}' AND w.words @@ asked.words
    """
)
_ASKED = """
    SELECT '{language}' AS language, replace(plainto_tsquery({name}, $1)::text, '&', '|')::tsquery AS words
"""


async def search_support_resources(
    unit: Unit, words: str, criteria: SupportResourceCriteria, limit: int
) -> list[asyncpg.Record]:
    """Find resources by words, each in its language, the best first, with an excerpt."""
    arguments: list[Any] = [words]
    where = criteria.build_resource_condition(arguments)
    arguments.append(limit)
    # Without a criterion only the best are joined: all resources would be read for the others.
    best = f"ORDER BY rank DESC, resource_id LIMIT ${len(arguments)}" if criteria == SupportResourceCriteria() else ""
    query = f"""
        WITH best AS MATERIALIZED (
            SELECT r.*, asked_words, rank, form
            FROM (SELECT * FROM ({_FOUND}) f {best}) f JOIN support_resources r ON r.id = f.resource_id
            WHERE {where} ORDER BY rank DESC, r.id LIMIT ${len(arguments)}
        )
        SELECT {_SHOWN}, {USES}, ts_headline(form, title || ' ' || content, asked_words, '{_MARKS}') AS excerpt
        FROM best r ORDER BY rank DESC, r.id
    """
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def suggest_support_resources(unit: Unit, case: CaseRow, day: date, limit: int) -> list[asyncpg.Record]:
    """Suggest resources for a case: by its words, its product, and what helped in cases of its kind.

    What has lapsed, or was consulted in this case already, is not suggested.
    """
    query = f"""
        WITH asked AS MATERIALIZED ({_build_union(_ASKED)}), fitting AS (
            SELECT r.*, ts_rank(w.words, asked.words) AS word_rank, coalesce($2 = ANY (products), false) AS fits,
                (SELECT count(*) FROM resource_uses u
                    WHERE u.resource_id = r.id AND u.result = 'helped' AND u.case_kind = $3) AS helped_kind
            FROM support_resources r JOIN resource_words w ON w.resource_id = r.id
            JOIN asked ON asked.language = r.language
            WHERE (w.words @@ asked.words OR $2 = ANY (products))
                AND (valid_from IS NULL OR valid_from <= $4) AND (valid_to IS NULL OR valid_to >= $4)
                AND requests_left IS DISTINCT FROM 0
                AND NOT EXISTS (SELECT FROM resource_uses u WHERE u.resource_id = r.id AND u.case_id = $5)
        )
        SELECT r.*, {USES}, word_rank + CASE WHEN fits THEN 0.2 ELSE 0 END + 0.2 * ln(1 + helped_kind) AS score
        FROM fitting r ORDER BY score DESC, r.id LIMIT $6
    """
    text = f"{case.subject} {case.description or ''}"
    return await unit.connection.fetch(query, text, case.product, case.kind, day, case.id, limit)  # type: ignore[no-any-return]
