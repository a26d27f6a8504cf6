"""Incidents of the vendor's services, who looks for them, and the cases that fit."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from services.escalation.tables.base import Row


class HealthWatchRow(Row, table=True):
    """A legal entity for which service health is looked at."""

    __tablename__ = "health_watches"
    __table_args__ = (UniqueConstraint("legal_entity"), Index("health_watches_due", "next_reading_at"))

    id: UUID = Field(primary_key=True)
    legal_entity: str = Field(sa_type=Text, foreign_key="vendor_channels.legal_entity")
    next_reading_at: datetime = Field(sa_type=DateTime(timezone=True))
    read_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    reading_refusal: str | None = Field(default=None, sa_type=Text)


class IncidentRow(Row, table=True):
    """An incident of the vendor's, as it was seen last; its content is the newest update."""

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'resolved')"),
        Index("incidents_by_status", "status", "reference"),
    )

    reference: str = Field(primary_key=True, sa_type=Text)
    title: str = Field(sa_type=Text)
    content: str = Field(sa_type=Text)
    services: list[str] = Field(sa_type=ARRAY(Text))
    regions: list[str] = Field(sa_type=ARRAY(Text))
    status: str = Field(sa_type=Text)
    began_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))
    seen_at: datetime = Field(sa_type=DateTime(timezone=True))


class IncidentCaseRow(Row, table=True):
    """A case that fits an incident; `asked_at` is when its owner was asked whether the problem is gone."""

    __tablename__ = "incident_cases"
    __table_args__ = (
        Index("incident_cases_of_case", "case_id"),
        Index("incident_cases_to_ask", "reference", postgresql_where=text("asked_at IS NULL")),
    )

    reference: str = Field(primary_key=True, sa_type=Text, foreign_key="incidents.reference")
    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    linked_at: datetime = Field(sa_type=DateTime(timezone=True))
    asked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class IncidentAccountRow(Row, table=True):
    """An account with cases that fit an incident, or whose incident has ended."""

    __tablename__ = "incident_accounts"

    account_id: UUID = Field(primary_key=True)
    due_at: datetime = Field(sa_type=DateTime(timezone=True))
