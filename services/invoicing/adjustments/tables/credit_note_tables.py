"""Rows of credit notes, and of amounts that disputes reserve."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class CreditNoteRow(Row, table=True):
    """A credit note; never changed. One by which a bill run gives something back names what it drew up (`bill_id`)."""

    __tablename__ = "credit_notes"

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id")
    legal_entity: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    invoice_id: UUID = Field(foreign_key="invoices.id")
    dispute_id: UUID | None
    currency: str = Field(sa_type=Text)
    total_minor: int = Field(sa_type=BigInteger)
    reason_code: str = Field(sa_type=Text)
    bill_id: UUID | None
    issued_at: datetime = Field(sa_type=DateTime(timezone=True))
