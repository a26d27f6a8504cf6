"""Mails of cases, out and in. Addresses of customers are asked for when a mail is sent, and not kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text
from sqlmodel import Field

from services.escalation.tables.base import Row


class CaseAddressRow(Row, table=True):
    """The secret in the address to which the mails of a case are answered."""

    __tablename__ = "case_addresses"

    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    token: str = Field(sa_type=Text, unique=True)


class CaseMailRow(Row, table=True):
    """A message to the customer on its way: the entry with its words, and what became of it.

    `outcome_sequence` is that of the outcome that was known when it was written, `sequence` that of the contact which
    it became when the next mail hop took it.
    """

    __tablename__ = "case_mails"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'delivered', 'refused', 'bounced')"),
        CheckConstraint("state <> 'delivered' OR sequence IS NOT NULL"),
        CheckConstraint("(state IN ('refused', 'bounced')) = (code IS NOT NULL)"),
        Index("case_mails_of_case", "case_id"),
    )

    entry_id: UUID = Field(primary_key=True, foreign_key="entries.id")
    case_id: UUID = Field(foreign_key="cases.id")
    account_id: UUID
    contact_person_id: UUID | None
    secret: str = Field(sa_type=Text, unique=True)
    in_reply_to: str | None = Field(sa_type=Text)
    about_outcome: bool
    outcome_sequence: int | None = Field(sa_type=BigInteger)
    sequence: int | None = Field(sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    code: str | None = Field(sa_type=Text)
    queued_at: datetime = Field(sa_type=DateTime(timezone=True))
    settled_at: datetime | None = Field(sa_type=DateTime(timezone=True))
