"""Entries of cases: who wrote what for whom."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.escalation.repository import case_queries
from services.escalation.tables import EntryRow
from shared.database import Unit


async def insert_entry(unit: Unit, row: EntryRow) -> None:
    """Insert an entry with its words, which are kept from now on for as long as those of a case that is closed now."""
    unit.session.add(row)
    await unit.session.flush()
    query = """
        WITH kept AS (
            INSERT INTO case_words (text_id, case_id, words) SELECT $1, $2, to_tsvector('simple', $3) WHERE $3 <> ''
        )
        UPDATE cases SET words_since = $4 WHERE id = $2 AND state = 'closed'
    """
    await unit.connection.execute(query, row.id, row.case_id, row.content, unit.now)


def build_entries_query(
    case_ids: Sequence[UUID], audience: str | None, kind: str | None, after: UUID | None, limit: int
) -> SelectOfScalar[EntryRow]:
    """Build the query of a page of the entries of cases, the oldest first."""
    query = select(EntryRow).where(col(EntryRow.case_id).in_(case_ids))
    if audience is not None:
        query = query.where(EntryRow.audience == audience)
    if kind is not None:
        query = query.where(EntryRow.kind == kind)
    if after is not None:
        query = query.where(col(EntryRow.id) > after)
    return query.order_by(col(EntryRow.id)).limit(limit)


async def list_entries(
    unit: Unit, case_id: UUID, audience: str | None, kind: str | None, after: UUID | None, limit: int
) -> Sequence[EntryRow]:
    """List the entries of a case and of those that were merged into it, the oldest first."""
    case_ids = [case_id, *await case_queries.list_merged(unit, case_id)]
    return (await unit.session.exec(build_entries_query(case_ids, audience, kind, after, limit))).all()


async def list_contacts(unit: Unit, case_id: UUID) -> Sequence[EntryRow]:
    """List the contacts with the customer in a case, the oldest first."""
    query = select(EntryRow).where(EntryRow.case_id == case_id, col(EntryRow.channel).is_not(None))
    return (await unit.session.exec(query.order_by(col(EntryRow.id)))).all()


async def get_informed_sequence(unit: Unit, case_id: UUID) -> int | None:
    """Get the sequence number of the last contact about the outcome that somebody recorded; None if there is none."""
    sequence: int | None = await unit.connection.fetchval(
        "SELECT max(sequence) FROM entries WHERE case_id = $1 AND about_outcome", case_id
    )
    return sequence
