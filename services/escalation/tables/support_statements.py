"""Statements of the support that a legal entity gives, in the languages of its customers."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.escalation.tables.base import Row


class SupportStatementRow(Row, table=True):
    """A published statement of support of a legal entity in one language."""

    __tablename__ = "support_statements"

    legal_entity: str = Field(primary_key=True, sa_type=Text)
    language: str = Field(primary_key=True, sa_type=Text)
    content: dict[str, Any] = Field(sa_type=JSONB)
    changed_by: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))
