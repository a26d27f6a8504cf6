"""Bill runs: which accounts they have done, and the drafts that wait for approval."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlmodel import Field

from services.invoicing.metadata import Row


class BillRunRow(Row, table=True):
    """One run for a date; its accounts are done in chunks that any number of workers share."""

    __tablename__ = "bill_runs"

    id: UUID = Field(primary_key=True)
    run_date: date
    state: str = Field(sa_type=Text)
    at_once: bool
    started_by: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=DateTime(timezone=True))
    decided_by: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    finished_at: datetime | None = Field(sa_type=DateTime(timezone=True))
