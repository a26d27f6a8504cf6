"""Rows of credit notes, and of amounts that disputes reserve."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from services.invoicing.metadata import Row


class ReservationRow(Row, table=True):
    """An amount of a line in dispute, reserved until the dispute ends; of the last amendment, 0 before any."""

    __tablename__ = "reservations"
    __table_args__ = (CheckConstraint("amount_minor > 0"), CheckConstraint("amendment >= 0"))

    dispute_id: UUID = Field(primary_key=True)
    line: int = Field(primary_key=True)
    invoice_id: UUID = Field(foreign_key="invoices.id")
    account_id: UUID
    amount_minor: int = Field(sa_type=BigInteger)
    reserved_at: datetime = Field(sa_type=DateTime(timezone=True))
    released_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    amendment: int


class CreditNoteRow(Row, table=True):
    """A credit note; never changed. One by which a bill run gives something back names what it drew up (`bill_id`)."""

    __tablename__ = "credit_notes"
    __table_args__ = (
        UniqueConstraint("legal_entity", "number"),
        Index("credit_notes_of_bill", "bill_id", postgresql_where=text("bill_id IS NOT NULL")),
        CheckConstraint("total_minor > 0"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id", index=True)
    legal_entity: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    invoice_id: UUID = Field(foreign_key="invoices.id")
    dispute_id: UUID | None = Field(unique=True)
    currency: str = Field(sa_type=Text)
    total_minor: int = Field(sa_type=BigInteger)
    reason_code: str = Field(sa_type=Text)
    bill_id: UUID | None
    issued_at: datetime = Field(sa_type=DateTime(timezone=True))


class CreditNoteLineRow(Row, table=True):
    """Amount that a credit note takes off one line."""

    __tablename__ = "credit_note_lines"
    __table_args__ = (CheckConstraint("amount_minor > 0"),)

    credit_note_id: UUID = Field(primary_key=True, foreign_key="credit_notes.id")
    line: int = Field(primary_key=True)
    account_id: UUID
    amount_minor: int = Field(sa_type=BigInteger)
