"""Proposals that need a person (credit notes, write-offs, refunds), and limits of who may decide."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.invoicing.metadata import Row


class ApprovalRow(Row, table=True):
    """Somebody wants to credit, write off or refund; it is done at once, or waits for a second person."""

    __tablename__ = "approvals"
    __table_args__ = (
        CheckConstraint("kind IN ('credit_note', 'write_off', 'refund')"),
        CheckConstraint("state IN ('proposed', 'carried_out', 'declined', 'withdrawn')"),
        CheckConstraint("amount_minor > 0"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)"),
        CheckConstraint("num_nulls(decided_by, decision_reason) IN (0, 2)"),
        CheckConstraint("state = 'withdrawn' OR decided_by IS DISTINCT FROM proposed_by"),
        Index("approvals_listed", "state", "id"),
        Index("approvals_by_kind", "kind", "id"),
        Index("approvals_by_state", "kind", "state", "id"),
        Index("approvals_by_time", "kind", "proposed_at"),
    )

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    account_id: UUID = Field(foreign_key="accounts.id", index=True)
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
