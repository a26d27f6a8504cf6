"""Proposals that need a person (credit notes, write-offs, refunds), and limits of who may decide."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.invoicing.metadata import Row


class ApprovalRow(Row, table=True):
    """Somebody wants to credit, write off or refund; it is done at once, or waits for a second person."""

    __tablename__ = "approvals"

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    account_id: UUID = Field(foreign_key="accounts.id")
    invoice_id: UUID | None = Field(foreign_key="invoices.id")
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Text)
    lines: list[list[int]] = Field(sa_type=JSONB)
    reason_code: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    proposed_by: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=DateTime(timezone=True))
    decided_by: str | None = Field(sa_type=Text)
    decision_reason: str | None = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    credit_note_id: UUID | None = Field(foreign_key="credit_notes.id")
