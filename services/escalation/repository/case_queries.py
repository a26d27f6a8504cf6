"""Cases and what they are linked to."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from services.escalation.domain.cases import UNRESOLVED
from services.escalation.domain.disputes import UNDECIDED
from services.escalation.tables import CaseLinkRow, CaseRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound

SHOWN_COLUMNS = tuple(
    name for name in CaseRow.model_fields if name not in ("is_subject_internal", "outcome_sequence", "words_since")
)
"""Columns of a case that are shown to people."""
SHOWN = ", ".join(f"c.{name}" for name in SHOWN_COLUMNS)


async def get_case(unit: Unit, case_id: UUID) -> CaseRow:
    """Get a case as it is in the database now. Raises NotFound."""
    row = await unit.session.get(CaseRow, case_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no case {case_id}")
    return row


async def get_ongoing_case(unit: Unit, case_id: UUID) -> CaseRow:
    """Get a case, or the one that it was merged into. Raises NotFound."""
    case = await get_case(unit, case_id)
    return case if case.merged_into is None else await get_case(unit, case.merged_into)


async def get_case_with_merged(unit: Unit, case_id: UUID) -> asyncpg.Record:
    """Get what is shown of a case, with the ids of those that were merged into it. Raises NotFound."""
    query = f"""
        SELECT {SHOWN}, ARRAY(SELECT m.id FROM cases m WHERE m.merged_into = c.id ORDER BY m.id) AS merged_cases
        FROM cases c WHERE c.id = $1
    """
    row = await unit.connection.fetchrow(query, case_id)
    if row is None:
        raise NotFound(f"there is no case {case_id}")
    return row


async def save_case(unit: Unit, row: CaseRow) -> None:
    """Write a case, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def save_case_words(unit: Unit, row: CaseRow) -> None:
    """Write the words of a case by which it is found: those of its subject and description."""
    await unit.connection.execute(
        """
        INSERT INTO case_words (text_id, case_id, words) VALUES ($1, $1, to_tsvector('simple', $2))
        ON CONFLICT (text_id) DO UPDATE SET words = EXCLUDED.words
        """,
        row.id,
        f"{row.subject} {row.description or ''}",
    )


CAUSE_QUERY = """
SELECT EXISTS (SELECT FROM cases c LEFT JOIN cases target ON target.id = c.merged_into
    WHERE c.cause = $1 AND coalesce(target.state, c.state) = ANY ($2))
"""


async def has_unresolved_case(unit: Unit, cause: str) -> bool:
    """Whether a case for this cause is neither resolved nor closed, by itself or in the one that it was merged into."""
    return bool(await unit.connection.fetchval(CAUSE_QUERY, cause, sorted(UNRESOLVED)))


async def has_undecided_dispute(unit: Unit, case_id: UUID) -> bool:
    """Whether a dispute of this case is not decided."""
    query = "SELECT EXISTS (SELECT FROM disputes WHERE case_id = $1 AND state = ANY ($2))"
    return bool(await unit.connection.fetchval(query, case_id, sorted(UNDECIDED)))


async def redirect_merged_cases(unit: Unit, case_id: UUID, target_id: UUID) -> None:
    """Let the cases that were merged into one be merged into another one."""
    await unit.connection.execute("UPDATE cases SET merged_into = $2 WHERE merged_into = $1", case_id, target_id)


async def list_merged_cases(unit: Unit, case_id: UUID) -> list[UUID]:
    """List the cases that were merged into one."""
    rows = await unit.connection.fetch("SELECT id FROM cases WHERE merged_into = $1 ORDER BY id", case_id)
    return [row["id"] for row in rows]


async def list_case_links(unit: Unit, case_id: UUID) -> Sequence[CaseLinkRow]:
    """List what a case is linked to, the oldest first."""
    query = "SELECT * FROM case_links WHERE case_id = $1 ORDER BY added_at, kind, target_id, line"
    return [CaseLinkRow(**row) for row in await unit.connection.fetch(query, case_id)]


async def insert_case_links(unit: Unit, rows: Iterable[CaseLinkRow]) -> int:
    """Insert links that a case does not have yet; how many these are."""
    records = [(row.case_id, row.kind, row.target_id, row.line, row.added_by, row.added_at) for row in rows]
    query = """
        INSERT INTO case_links (case_id, kind, target_id, line, added_by, added_at)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::int[], $5::text[], $6::timestamptz[])
        ON CONFLICT DO NOTHING RETURNING true
    """
    columns = list(zip(*records, strict=True)) or [()] * 6
    return len(await unit.connection.fetch(query, *columns))


async def delete_case_link(unit: Unit, case_id: UUID, kind: str, target_id: UUID, line: int) -> None:
    """Delete a link of a case. Raises NotFound."""
    query = """
        DELETE FROM case_links WHERE case_id = $1 AND kind = $2 AND target_id = $3 AND line = $4 RETURNING true
    """
    if not await unit.connection.fetchval(query, case_id, kind, target_id, line):
        raise NotFound("the case has no such link")
