"""Entries of cases: who wrote what for whom."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlmodel import col, select

from services.escalation.tables import EntryRow
from shared.persistence.database import Unit

SHOWN_COLUMNS = tuple(name for name in EntryRow.model_fields if name not in ("account_id", "sequence"))
"""Columns of an entry that are shown to people."""
_SHOWN = ", ".join(f"e.{name}" for name in SHOWN_COLUMNS)


async def insert_thread_entry(unit: Unit, row: EntryRow) -> None:
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


def build_thread_query(
    case_id: UUID, audience: str | None, kind: str | None, after: UUID | None, limit: int
) -> tuple[str, list[Any]]:
    """Build the query of a page of the entries of a case and of those that were merged into it, and its arguments."""
    arguments: list[Any] = [case_id]
    clauses = ["e.case_id = ANY (ARRAY(SELECT id FROM cases WHERE merged_into = $1) || $1::uuid)"]
    for clause, value in (("e.audience =", audience), ("e.kind =", kind), ("e.id >", after)):
        if value is not None:
            arguments.append(value)
            clauses.append(f"{clause} ${len(arguments)}")
    arguments.append(limit)
    query = f"""
        SELECT {_SHOWN}, m.state AS mail_state, m.code AS mail_code, m.about_outcome AS mail_about_outcome, m.settled_at
        FROM entries e LEFT JOIN case_mails m ON m.entry_id = e.id
        WHERE {" AND ".join(clauses)} ORDER BY e.id LIMIT ${len(arguments)}
    """
    return query, arguments


async def list_thread_entries(
    unit: Unit, case_id: UUID, audience: str | None, kind: str | None, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """List the entries of a case and of those that were merged into it, the oldest first, with their mails."""
    query, arguments = build_thread_query(case_id, audience, kind, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


async def list_customer_contacts(unit: Unit, case_id: UUID) -> Sequence[EntryRow]:
    """List the contacts with the customer in a case, the oldest first."""
    query = select(EntryRow).where(EntryRow.case_id == case_id, col(EntryRow.channel).is_not(None))
    return (await unit.session.exec(query.order_by(col(EntryRow.id)))).all()


async def find_last_outcome_contact(unit: Unit, case_id: UUID) -> int | None:
    """Get the sequence number of the last contact about the outcome that somebody recorded; None if there is none."""
    sequence: int | None = await unit.connection.fetchval(
        "SELECT max(sequence) FROM entries WHERE case_id = $1 AND about_outcome", case_id
    )
    return sequence
