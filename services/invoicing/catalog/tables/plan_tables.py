"""Plans and their versions; the terms, changes and charges of subscriptions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Text,
)
from sqlmodel import Field

from services.invoicing.metadata import Row


class PlanRow(Row, table=True):
    """Plan that is sold."""

    __tablename__ = "plans"

    id: UUID = Field(primary_key=True)
    code: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    tax_class: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
