"""Mails to distributors, and whose the answers are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from services.escalation.tables import VendorTicketMailRow, VendorTicketRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


@dataclass(frozen=True, slots=True)
class TicketOfAnswer:
    """A ticket to whose address a mail came, and who was written to there."""

    ticket: VendorTicketRow
    recipient: str


async def save_ticket_mail(unit: Unit, row: VendorTicketMailRow) -> None:
    """Write a mail, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def get_ticket_mail(unit: Unit, mail_id: UUID) -> VendorTicketMailRow:
    """Get a mail as it is now. Raises NotFound."""
    row = await unit.session.get(VendorTicketMailRow, mail_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no mail {mail_id}")
    return row


async def list_ticket_mails(unit: Unit, ticket_id: UUID, limit: int) -> Sequence[VendorTicketMailRow]:
    """List the mails of a ticket, the oldest first."""
    query = select(VendorTicketMailRow).where(VendorTicketMailRow.ticket_id == ticket_id)
    return (await unit.session.exec(query.order_by(col(VendorTicketMailRow.id)).limit(limit))).all()


async def find_ticket_by_address(unit: Unit, tokens: Collection[str]) -> TicketOfAnswer | None:
    """Find the ticket that goes on with what comes to the address with one of these secrets."""
    query = select(VendorTicketMailRow).where(col(VendorTicketMailRow.reply_token).in_(sorted(tokens)))
    mail = (await unit.session.exec(query.order_by(col(VendorTicketMailRow.id)))).first()
    ticket = None if mail is None else await unit.session.get(VendorTicketRow, mail.ticket_id, populate_existing=True)
    return None if mail is None or ticket is None else TicketOfAnswer(ticket, mail.recipient)


async def find_bounced_ticket_mail(unit: Unit, secrets: Collection[str]) -> VendorTicketMailRow | None:
    """Find the mail with one of these secrets."""
    query = select(VendorTicketMailRow).where(col(VendorTicketMailRow.secret).in_(sorted(secrets)))
    return (await unit.session.exec(query.order_by(col(VendorTicketMailRow.id)))).first()


async def find_last_distributor_message(unit: Unit, ticket_id: UUID, case_id: UUID) -> str | None:
    """Find the Message-ID of the last answer of the distributor in a case."""
    query = """
        SELECT message_id FROM inbound_mails
        WHERE case_id = $1 AND details ->> 'vendor_ticket' = $2 AND message_id IS NOT NULL
        ORDER BY entry_id DESC LIMIT 1
    """
    message_id: str | None = await unit.connection.fetchval(query, case_id, str(ticket_id))
    return message_id
