"""The rows of the schema `escalation`. Comments of people stay here; nothing personal goes onto topics."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

METADATA = MetaData(schema="escalation")


class Row(SQLModel, registry=registry(metadata=METADATA)):
    """A row of this schema."""

    metadata = METADATA


class AccountRow(Row, table=True):
    """An account that invoicing told of."""

    __tablename__ = "accounts"

    account_id: UUID = Field(primary_key=True)
    currency: str = Field(sa_type=Text)


class InvoiceRow(Row, table=True):
    """An invoice that invoicing told of."""

    __tablename__ = "invoices"

    invoice_id: UUID = Field(primary_key=True)
    account_id: UUID
    number: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)


class CaseRow(Row, table=True):
    """A case: somebody has a problem until the customer knows the outcome."""

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint("kind IN ('billing_question', 'dispute', 'technical', 'fraud', 'task')"),
        CheckConstraint("state IN ('open', 'resolved', 'closed')"),
        CheckConstraint("(kind = 'technical') = (severity IS NOT NULL)"),
        CheckConstraint("severity IN ('A', 'B', 'C')"),
        CheckConstraint("(state = 'open') = (outcome IS NULL)"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)"),
        Index("cases_one_open_per_cause", "cause", unique=True, postgresql_where=text("state = 'open'")),
        Index("cases_of_account", "account_id"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID | None
    kind: str = Field(sa_type=Text)
    severity: str | None = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    cause: str | None = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=DateTime(timezone=True))
    opened_by: str | None = Field(sa_type=Text)
    outcome: str | None = Field(sa_type=Text)
    outcome_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    outcome_sequence: int | None = Field(sa_type=BigInteger)
    closed_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    closed_by: str | None = Field(sa_type=Text)
    no_customer_affected: str | None = Field(sa_type=Text)


class ContactRow(Row, table=True):
    """A contact with the customer; on record for good."""

    __tablename__ = "contacts"
    __table_args__ = (CheckConstraint("channel IN ('email', 'phone', 'portal', 'letter')"),)

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id", index=True)
    account_id: UUID | None
    channel: str = Field(sa_type=Text)
    about_outcome: bool
    comment: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    contacted_at: datetime = Field(sa_type=DateTime(timezone=True))
    sequence: int = Field(sa_type=BigInteger)


class DisputeRow(Row, table=True):
    """A dispute on lines of one invoice, with amounts (minor units)."""

    __tablename__ = "disputes"
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'opened', 'refused', 'waiting_for_second_person',"
            " 'upheld', 'rejected', 'withdrawn')"
        ),
        CheckConstraint("num_nulls(uphold_proposed_by, uphold_proposed_at) IN (0, 2)"),
        CheckConstraint("state <> 'waiting_for_second_person' OR uphold_proposed_by IS NOT NULL"),
        CheckConstraint("total_minor > 0"),
        Index("disputes_of_account", "account_id"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id")
    account_id: UUID
    invoice_id: UUID
    currency: str = Field(sa_type=Text)
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    total_minor: int = Field(sa_type=BigInteger)
    comment: str | None = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    refusal: str | None = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=DateTime(timezone=True))
    opened_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    credit_note_id: UUID | None
    uphold_proposed_by: str | None = Field(sa_type=Text)
    uphold_proposed_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_reason: str | None = Field(sa_type=Text)
