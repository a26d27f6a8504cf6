"""Tickets at the vendor and their notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.escalation.domain.vendor_tickets import UNSOLVED, KnownTicketNote
from services.escalation.repository import case_queries
from services.escalation.tables import TicketNoteRow, VendorTicketRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


@dataclass(frozen=True, slots=True)
class VendorTicketCriteria:
    """Criteria of the tickets that are wanted; None is any. A case is meant with those that were merged into it."""

    status: str | None = None
    case_id: UUID | None = None
    account_id: UUID | None = None


async def get_vendor_ticket(unit: Unit, ticket_id: UUID) -> VendorTicketRow:
    """Get a ticket as it is now. Raises NotFound."""
    row = await unit.session.get(VendorTicketRow, ticket_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no vendor ticket {ticket_id}")
    return row


async def save_vendor_ticket(unit: Unit, row: VendorTicketRow) -> None:
    """Write a ticket, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def find_ticket_by_number(unit: Unit, legal_entity: str, number: str) -> UUID | None:
    """Find the ticket of a legal entity that has a number of the vendor's."""
    query = "SELECT id FROM vendor_tickets WHERE legal_entity = $1 AND number = $2"
    ticket_id: UUID | None = await unit.connection.fetchval(query, legal_entity, number)
    return ticket_id


def build_vendor_ticket_query(
    criteria: VendorTicketCriteria, case_ids: Sequence[UUID], after: UUID | None, limit: int
) -> SelectOfScalar[VendorTicketRow]:
    """Build the query of a page of tickets in the order of their ids."""
    query = select(VendorTicketRow).order_by(col(VendorTicketRow.id)).limit(limit)
    if criteria.status is not None:
        query = query.where(VendorTicketRow.status == criteria.status)
    if criteria.case_id is not None:
        query = query.where(col(VendorTicketRow.case_id).in_(case_ids))
    if criteria.account_id is not None:
        query = query.where(VendorTicketRow.account_id == criteria.account_id)
    return query if after is None else query.where(col(VendorTicketRow.id) > after)


async def list_vendor_tickets(
    unit: Unit, criteria: VendorTicketCriteria, after: UUID | None, limit: int
) -> Sequence[VendorTicketRow]:
    """List tickets in the order of their ids, after this one."""
    case_ids = []
    if criteria.case_id is not None:
        case_ids = [criteria.case_id, *await case_queries.list_merged_cases(unit, criteria.case_id)]
    return (await unit.session.exec(build_vendor_ticket_query(criteria, case_ids, after, limit))).all()


async def list_unsolved_tickets(unit: Unit, account_id: UUID, limit: int) -> Sequence[VendorTicketRow]:
    """List the tickets of an account that are not closed, the newest first."""
    query = select(VendorTicketRow).where(
        VendorTicketRow.account_id == account_id, col(VendorTicketRow.status).in_(sorted(UNSOLVED))
    )
    return (await unit.session.exec(query.order_by(col(VendorTicketRow.id).desc()).limit(limit))).all()


async def list_tickets_to_read(unit: Unit, subjects: Sequence[UUID]) -> Sequence[VendorTicketRow]:
    """List the tickets that are due to be read, of these accounts, or cases without an account."""
    query = select(VendorTicketRow).where(
        (col(VendorTicketRow.account_id).in_(subjects))
        | (col(VendorTicketRow.account_id).is_(None) & col(VendorTicketRow.case_id).in_(subjects)),
        col(VendorTicketRow.next_reading_at) <= unit.now,
    )
    return (await unit.session.exec(query.order_by(col(VendorTicketRow.id)))).all()


async def list_ticket_notes(unit: Unit, ticket_id: UUID) -> list[KnownTicketNote]:
    """List the notes of a ticket that the thread has, the oldest first."""
    query = select(TicketNoteRow).where(TicketNoteRow.ticket_id == ticket_id).order_by(col(TicketNoteRow.entry_id))
    rows = (await unit.session.exec(query)).all()
    return [KnownTicketNote(row.entry_id, row.is_ours, row.content, row.fingerprint) for row in rows]


async def get_ticket_note(unit: Unit, entry_id: UUID) -> TicketNoteRow:
    """Get a note of a ticket. Raises NotFound."""
    row = await unit.session.get(TicketNoteRow, entry_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no note {entry_id}")
    return row


async def save_ticket_note(unit: Unit, row: TicketNoteRow) -> None:
    """Write a note of a ticket, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def mark_note_recognised(unit: Unit, entry_id: UUID, fingerprint: str, sent_at: datetime) -> None:
    """Note that one of our notes was recognised among those of the vendor: it is there."""
    query = "UPDATE ticket_notes SET fingerprint = $2, sent_at = coalesce(sent_at, $3) WHERE entry_id = $1"
    await unit.connection.execute(query, entry_id, fingerprint, sent_at)
