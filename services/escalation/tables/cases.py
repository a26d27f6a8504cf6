"""Cases with their threads. What people write stays here; nothing personal goes onto topics."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class CaseRow(Row, table=True):
    """A case: somebody has a problem until the customer knows the outcome.

    `words_since` is set while it is closed and words are kept of it: when it was closed, or written in last.
    """

    __tablename__ = "cases"

    id: UUID = Field(primary_key=True)
    number: int = Field(default=None, sa_type=BigInteger, sa_column_args=[Identity()])
    version: int = Field(sa_type=BigInteger)
    account_id: UUID | None
    kind: str = Field(sa_type=Text)
    severity: str | None = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    state_since: datetime = Field(sa_type=DateTime(timezone=True))
    subject: str = Field(sa_type=Text)
    is_subject_internal: bool | None = None
    description: str | None = Field(sa_type=Text)
    product: str | None = Field(sa_type=Text)
    queue: str = Field(sa_type=Text)
    assignee: str | None = Field(sa_type=Text)
    contact_person_id: UUID | None
    cause: str | None = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=DateTime(timezone=True))
    opened_by: str | None = Field(sa_type=Text)
    outcome: str | None = Field(sa_type=Text)
    outcome_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    outcome_sequence: int | None = Field(sa_type=BigInteger)
    closed_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    closed_by: str | None = Field(sa_type=Text)
    no_customer_affected: str | None = Field(sa_type=Text)
    merged_into: UUID | None = Field(foreign_key="cases.id")
    next_deadline_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    unread_answers: int
    inform_by: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    words_since: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    words_removed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class CaseLinkRow(Row, table=True):
    """A link from a case to what it is about; `line` is that of an invoice, 0 for the whole."""

    __tablename__ = "case_links"

    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    kind: str = Field(primary_key=True, sa_type=Text)
    target_id: UUID = Field(primary_key=True)
    line: int = Field(primary_key=True)
    added_by: str | None = Field(sa_type=Text)
    added_at: datetime = Field(sa_type=DateTime(timezone=True))


class EntryRow(Row, table=True):
    """An entry of a case's thread, for an audience; without an actor it was written by itself.

    Calls and messages are contacts with the customer, in the sequence of the account's facts; a mail that we send
    (`mail_out`) becomes one when it is delivered, which stands in `case_mails`. The role of the service may empty an
    entry, and change nothing else of it.
    """

    __tablename__ = "entries"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id")
    account_id: UUID | None
    kind: str = Field(sa_type=Text)
    audience: str = Field(sa_type=Text)
    actor: str | None = Field(sa_type=Text)
    content: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(sa_type=JSONB)
    channel: str | None = Field(sa_type=Text)
    about_outcome: bool | None
    sequence: int | None = Field(sa_type=BigInteger)
    removed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    entered_at: datetime = Field(sa_type=DateTime(timezone=True))
