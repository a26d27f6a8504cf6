"""Tickets at the vendor, how each legal entity reaches its support, and the notes of both sides."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class VendorChannelRow(Row, table=True):
    """How a legal entity reaches the vendor's support, and the contact data of ours that a ticket carries."""

    __tablename__ = "vendor_channels"

    legal_entity: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    company: str = Field(sa_type=Text)
    contact_name: str = Field(sa_type=Text)
    contact_email: str = Field(sa_type=Text)
    contact_phone: str = Field(sa_type=Text)
    distributor_email: str | None = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    countries: list[str] = Field(sa_type=ARRAY(Text))
    changed_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))


class VendorTicketRow(Row, table=True):
    """A request to the vendor's support, as it was prepared, and what became of it there."""

    __tablename__ = "vendor_tickets"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id")
    account_id: UUID | None
    legal_entity: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    number: str | None = Field(default=None, sa_type=Text)
    status: str = Field(sa_type=Text)
    status_since: datetime = Field(sa_type=DateTime(timezone=True))
    severity: str | None = Field(sa_type=Text)
    category: str | None = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    product: str | None = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    contact: dict[str, str] = Field(sa_type=JSONB)
    checks: dict[str, Any] = Field(sa_type=JSONB)
    entries: list[dict[str, Any]] = Field(sa_type=JSONB)
    decisions: list[dict[str, Any]] = Field(sa_type=JSONB)
    compared_lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    no_line_reason: str | None = Field(sa_type=Text)
    waived: list[str] = Field(sa_type=ARRAY(Text))
    resource_id: UUID | None = Field(foreign_key="support_resources.id")
    attachment_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    prepared_by: str = Field(sa_type=Text)
    prepared_at: datetime = Field(sa_type=DateTime(timezone=True))
    submitted_by: str | None = Field(default=None, sa_type=Text)
    submitted_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    clock_case_id: UUID | None = Field(default=None, foreign_key="cases.id")
    clock_run: int | None = None
    answered_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    read_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    reading_refusal: str | None = Field(default=None, sa_type=Text)
    next_reading_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    is_solved: bool | None = None
    solved_reason: str | None = Field(default=None, sa_type=Text)
    solved_by: str | None = Field(default=None, sa_type=Text)
    solved_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class VendorTicketMailRow(Row, table=True):
    """A mail to the distributor: the request with its evidence pack, or the note of ours that `entry_id` names.

    What comes to the address with its token answers it.
    """

    __tablename__ = "vendor_ticket_mails"

    id: UUID = Field(primary_key=True)
    ticket_id: UUID = Field(foreign_key="vendor_tickets.id")
    entry_id: UUID | None = Field(foreign_key="entries.id")
    recipient: str = Field(sa_type=Text)
    reply_token: str = Field(sa_type=Text)
    secret: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    code: str | None = Field(sa_type=Text)
    queued_by: str = Field(sa_type=Text)
    queued_at: datetime = Field(sa_type=DateTime(timezone=True))
    settled_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class TicketNoteRow(Row, table=True):
    """A note of a ticket, ours or the vendor's; the fingerprint is that of the note as the vendor shows it."""

    __tablename__ = "ticket_notes"

    entry_id: UUID = Field(primary_key=True, foreign_key="entries.id")
    ticket_id: UUID = Field(foreign_key="vendor_tickets.id")
    is_ours: bool
    content: str = Field(sa_type=Text)
    fingerprint: str | None = Field(default=None, sa_type=Text)
    written_at: datetime = Field(sa_type=DateTime(timezone=True))
    sent_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
