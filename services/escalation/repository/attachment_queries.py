"""Files of cases: written and read chunk by chunk."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from services.escalation.domain.attachments import CHUNK_BYTES, CheckedAttachment
from services.escalation.repository import case_queries
from services.escalation.tables import AttachmentRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


async def insert_attachment(unit: Unit, row: AttachmentRow, file: CheckedAttachment) -> None:
    """Insert a file with its content."""
    unit.session.add(row)
    await unit.session.flush()
    await asyncio.to_thread(file.content.seek, 0)
    place = 0
    while chunk := await asyncio.to_thread(file.content.read, CHUNK_BYTES):
        query = "INSERT INTO attachment_chunks (attachment_id, place, content) VALUES ($1, $2, $3)"
        await unit.connection.execute(query, row.id, place, chunk)
        place += 1


async def get_attachment(unit: Unit, attachment_id: UUID) -> AttachmentRow:
    """Get a file without its content. Raises NotFound."""
    row = await unit.session.get(AttachmentRow, attachment_id)
    if row is None:
        raise NotFound(f"there is no attachment {attachment_id}")
    return row


async def find_attachment_chunk(unit: Unit, attachment_id: UUID, place: int) -> bytes | None:
    """Find a chunk of a file; None past its end."""
    query = "SELECT content FROM attachment_chunks WHERE attachment_id = $1 AND place = $2"
    content: bytes | None = await unit.connection.fetchval(query, attachment_id, place)
    return content


async def count_attachments(unit: Unit, case_id: UUID) -> int:
    """Count the files of a case."""
    return int(await unit.connection.fetchval("SELECT count(*) FROM attachments WHERE case_id = $1", case_id))


async def list_attachments_of_case(
    unit: Unit, case_id: UUID, after: UUID | None, limit: int
) -> Sequence[AttachmentRow]:
    """List the files of a case and of those that were merged into it, the oldest first."""
    case_ids = [case_id, *await case_queries.list_merged_cases(unit, case_id)]
    query = select(AttachmentRow).where(col(AttachmentRow.case_id).in_(case_ids))
    if after is not None:
        query = query.where(col(AttachmentRow.id) > after)
    return (await unit.session.exec(query.order_by(col(AttachmentRow.id)).limit(limit))).all()


async def list_chosen_attachments(unit: Unit, case_id: UUID, attachment_ids: Sequence[UUID]) -> Sequence[AttachmentRow]:
    """List those of these files that are of a case or of those that were merged into it."""
    case_ids = [case_id, *await case_queries.list_merged_cases(unit, case_id)]
    query = select(AttachmentRow).where(
        col(AttachmentRow.case_id).in_(case_ids), col(AttachmentRow.id).in_(attachment_ids)
    )
    return (await unit.session.exec(query)).all()


async def list_attachments_of_mail(
    unit: Unit, mail_id: UUID, after: UUID | None, limit: int
) -> Sequence[AttachmentRow]:
    """List the files that a mail brought, the oldest first."""
    query = select(AttachmentRow).where(AttachmentRow.inbound_mail_id == mail_id)
    if after is not None:
        query = query.where(col(AttachmentRow.id) > after)
    return (await unit.session.exec(query.order_by(col(AttachmentRow.id)).limit(limit))).all()


async def place_attachments_in_case(
    unit: Unit, mail_id: UUID, case_id: UUID, audience: str, limit: int
) -> tuple[list[str], list[str]]:
    """Let the first files of a mail be those of a case, for the audience of whoever wrote it.

    The names of these, and of the others.
    """
    query = """
        WITH placed AS (
            UPDATE attachments SET case_id = $2, audience = $3
            WHERE id IN (SELECT id FROM attachments WHERE inbound_mail_id = $1 ORDER BY id LIMIT $4) RETURNING id
        )
        SELECT a.name, p.id IS NOT NULL AS is_placed FROM attachments a LEFT JOIN placed p ON p.id = a.id
        WHERE a.inbound_mail_id = $1 ORDER BY a.id
    """
    rows = await unit.connection.fetch(query, mail_id, case_id, audience, limit)
    return [row["name"] for row in rows if row["is_placed"]], [row["name"] for row in rows if not row["is_placed"]]
