"""Mails of cases, out and in. Whom a mail of ours went to is asked for when it is sent, and not kept."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class CaseAddressRow(Row, table=True):
    """The secret in the address to which the mails of a case are answered."""

    __tablename__ = "case_addresses"

    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    token: str = Field(sa_type=Text)


class CaseMailRow(Row, table=True):
    """A message to the customer on its way: the entry with its words, and what became of it.

    `outcome_sequence` is that of the outcome that was known when it was written, `sequence` that of the contact
    which it became when the next mail hop took it.
    """

    __tablename__ = "case_mails"

    entry_id: UUID = Field(primary_key=True, foreign_key="entries.id")
    case_id: UUID = Field(foreign_key="cases.id")
    account_id: UUID
    contact_person_id: UUID | None
    secret: str = Field(sa_type=Text)
    in_reply_to: str | None = Field(sa_type=Text)
    about_outcome: bool
    outcome_sequence: int | None = Field(sa_type=BigInteger)
    sequence: int | None = Field(sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    code: str | None = Field(sa_type=Text)
    queued_at: datetime = Field(sa_type=DateTime(timezone=True))
    settled_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class InboundMailRow(Row, table=True):
    """A mail that came in. `mail_key` is its Message-ID, else its digest; the first of a key is the one that counts.

    Sender, subject and content are of whoever wrote it, and empty once they were removed. The content of one that
    stands in a case, joined or automatic, is that of its entry.
    """

    __tablename__ = "inbound_mails"

    id: UUID = Field(primary_key=True)
    mail_key: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    is_first: bool
    message_id: str | None = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    case_id: UUID | None = Field(foreign_key="cases.id")
    entry_id: UUID | None = Field(foreign_key="entries.id")
    sender: str | None = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    content: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(sa_type=JSONB)
    received_at: datetime = Field(sa_type=DateTime(timezone=True))
    settled_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    settled_by: str | None = Field(sa_type=Text)
    read_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    contact_person_id: UUID | None = None
    removed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
