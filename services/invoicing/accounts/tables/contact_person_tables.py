"""People at our customers; what names them is empty once they were erased."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class ContactPersonRow(Row, table=True):
    """A person at a customer, in one role; asked from `valid_from` until the day before `valid_to`."""

    __tablename__ = "contact_persons"

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="accounts.id")
    role: str = Field(sa_type=Text)
    name: str | None = Field(sa_type=Text)
    email: str | None = Field(sa_type=Text)
    phone: str | None = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    valid_from: date
    valid_to: date | None
    version: int
    erased_at: datetime | None = Field(sa_type=DateTime(timezone=True))
