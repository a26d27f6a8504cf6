"""Cases with their threads. What people write stays here; nothing personal goes onto topics."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class CaseRow(Row, table=True):
    """A case: somebody has a problem until the customer knows the outcome.

    `words_since` is set while it is closed and words are kept of it: when it was closed, or written in last.
    """

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('billing_question', 'dispute', 'technical', 'fraud', 'service_credit', 'vendor_refusal', 'task')"
        ),
        CheckConstraint(
            "state IN ('new', 'in_progress', 'waiting_for_customer', 'waiting_for_vendor', 'resolved', 'closed',"
            " 'merged')"
        ),
        CheckConstraint("(kind = 'technical') = (severity IS NOT NULL)"),
        CheckConstraint("severity IN ('A', 'B', 'C')"),
        CheckConstraint("(state IN ('resolved', 'closed')) = (outcome IS NOT NULL)"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)"),
        CheckConstraint("(state = 'merged') = (merged_into IS NOT NULL)"),
        CheckConstraint("merged_into <> id"),
        Index(
            "cases_one_open_per_cause",
            "cause",
            unique=True,
            postgresql_where=text("state IN ('new', 'in_progress', 'waiting_for_customer', 'waiting_for_vendor')"),
        ),
        Index("cases_of_cause", "cause", postgresql_where=text("cause IS NOT NULL")),
        Index("cases_of_account", "account_id", "id"),
        Index("cases_by_state", "state", "id"),
        Index("cases_of_queue", "queue", "state", "id"),
        Index("cases_of_assignee", "assignee", "state", "id"),
        Index("cases_merged_into", "merged_into"),
        Index(
            "cases_of_products",
            text("lower(product)"),
            postgresql_where=text(
                "kind = 'technical' AND state IN ('new', 'in_progress', 'waiting_for_customer', 'waiting_for_vendor')"
            ),
        ),
        Index("cases_unread", "id", postgresql_where=text("unread_answers > 0")),
        Index("cases_to_inform", "inform_by", "id", postgresql_where=text("inform_by IS NOT NULL")),
        Index("cases_with_words", "words_since", postgresql_where=text("words_since IS NOT NULL")),
        Index("cases_by_deadline", "next_deadline_at", "id", postgresql_where=text("next_deadline_at IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    number: int = Field(default=None, sa_type=BigInteger, sa_column_args=[Identity()], unique=True)
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
    __table_args__ = (
        CheckConstraint(
            "kind IN ('account', 'invoice', 'subscription', 'suspension', 'vendor_difference', 'case', 'chargeback')"
        ),
        CheckConstraint("line = 0 OR kind = 'invoice'"),
        Index("case_links_of_target", "target_id"),
    )

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
    __table_args__ = (
        CheckConstraint(
            "kind IN ('note', 'call', 'message', 'vendor_note', 'state', 'change', 'resource', 'mail_out', 'mail_in',"
            " 'attachment', 'health_check', 'attempt', 'override')"
        ),
        CheckConstraint("audience IN ('customer', 'vendor', 'internal')"),
        CheckConstraint(
            "kind = 'attachment' OR audience = CASE WHEN kind IN ('call', 'message', 'mail_out', 'mail_in')"
            " THEN 'customer' WHEN kind = 'vendor_note' THEN 'vendor' ELSE 'internal' END"
        ),
        CheckConstraint("channel IN ('email', 'phone', 'portal', 'letter')"),
        CheckConstraint("(kind IN ('call', 'message')) = (channel IS NOT NULL)"),
        CheckConstraint("num_nulls(channel, about_outcome, sequence) IN (0, 3)"),
        CheckConstraint("removed_at IS NULL OR content = ''"),
        Index("entries_of_case", "case_id", "id"),
    )

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
