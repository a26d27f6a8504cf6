"""Answers about changes of settings: carried out at once, or proposed to a second person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import asyncpg
from fastapi import Response
from pydantic import AliasChoices, BaseModel, Field

from services.invoicing.settings.domain.approval_states import ApprovalState
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.repository.setting_change_queries import list_pending_setting_rows
from services.invoicing.settings.tables import SettingChangeRow
from shared.persistence.database import Unit
from shared.pure.fields import set_model_example


class SettingChangeOut(BaseModel):
    """A change of a setting that somebody wants: carried out at once, or proposed to a second person."""

    model_config = set_model_example(
        id="01a20d65-3c11-7f02-9a4e-6c1d2e8b7f40",
        kind="tolerance",
        key="GS-DE/EUR",
        legal_entity="GS-DE",
        previous={"amount_minor": 5},
        proposed={"amount_minor": 10},
        reason="bank charges of foreign payments",
        state="proposed",
        proposed_by="operator",
        proposed_at="2026-03-20T09:00:00Z",
        decided_by=None,
        decision_reason=None,
        decided_at=None,
    )

    id: UUID
    kind: SettingKind
    key: str = Field(description="of the setting among those of its kind, such as legal entity and currency")
    legal_entity: str | None = Field(description="null for limits of roles, which are of all")
    previous: dict[str, Any] = Field(
        validation_alias=AliasChoices("previous", "former"),
        description="values that it replaces; empty where nothing was set",
    )
    proposed: dict[str, Any] = Field(
        validation_alias=AliasChoices("proposed", "wanted"), description="values that replace them"
    )
    reason: str | None
    state: ApprovalState
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = Field(description="nobody: it needed no second person; the proposer: withdrawn")
    decision_reason: str | None
    decided_at: datetime | None

    @classmethod
    def from_setting_change_row(cls, row: SettingChangeRow | asyncpg.Record) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row.model_dump() if isinstance(row, SettingChangeRow) else dict(row))


CHANGE_PROPOSED: dict[int | str, dict[str, Any]] = {
    202: {"model": SettingChangeOut, "description": "proposed: a second person decides, and nothing is changed yet"},
}
"""The answer of what proposes a change, for the API's document."""


def answer_pending_setting_change(row: SettingChangeRow) -> Response:
    """Answer a PUT with the change that waits for a second person."""
    return Response(SettingChangeOut.from_setting_change_row(row).model_dump_json(), 202, media_type="application/json")


def get_setting_status_code(answer: BaseModel, done: int) -> int:
    """Return the status of an answer: 202 for what waits for a second person, `done` for what was carried out."""
    return 202 if isinstance(answer, SettingChangeOut) else done


async def list_pending_setting_changes(
    unit: Unit, kind: SettingKind, keys: Sequence[str] | None = None
) -> list[SettingChangeOut]:
    """List the changes of a kind that wait for a second person, to be shown beside what holds."""
    return [SettingChangeOut.from_setting_change_row(row) for row in await list_pending_setting_rows(unit, kind, keys)]


async def find_pending_setting_change(unit: Unit, kind: SettingKind, key: str) -> SettingChangeOut | None:
    """Find the change of a setting that waits for a second person, to be shown beside what holds."""
    return next(iter(await list_pending_setting_changes(unit, kind, [key])), None)
