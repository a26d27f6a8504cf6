"""Changes of settings: those that wait for a second person, and the history of all."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.invoicing.metadata import Row


class SecondPersonRuleRow(Row, table=True):
    """Whether a legal entity requires a second person for refunds within a limit; without a row it does."""

    __tablename__ = "second_person_rules"

    legal_entity: str = Field(primary_key=True, sa_type=Text, foreign_key="legal_entities.code")
    is_required: bool
    set_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    set_at: datetime = Field(sa_type=DateTime(timezone=True))


class SettingChangeRow(Row, table=True):
    """Somebody wants a setting to be another: that was done at once, or waits for a second person."""

    __tablename__ = "setting_changes"

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    legal_entity: str | None = Field(sa_type=Text)
    former: dict[str, Any] = Field(sa_type=JSONB)
    wanted: dict[str, Any] = Field(sa_type=JSONB)
    reason: str | None = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    proposed_by: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=DateTime(timezone=True))
    decided_by: str | None = Field(sa_type=Text)
    decision_reason: str | None = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=DateTime(timezone=True))
