"""Whether a legal entity requires a second person, over REST: read by many, set by administrators only."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Response
from pydantic import BaseModel, Field

from services.invoicing.accounts.repository.legal_entity_queries import check_addressed_legal_entity
from services.invoicing.setting_decisions.use_cases.second_person_rules import change_second_person_rule
from services.invoicing.settings.api import (
    CHANGE_PROPOSED,
    SettingChangeOut,
    answer_pending_setting_change,
    find_pending_setting_change,
)
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.repository.second_person_queries import find_second_person_rule
from services.invoicing.settings.tables import SecondPersonRuleRow
from services.invoicing.settings.use_cases import is_setting_change_applied
from shared.persistence.database import Unit
from shared.pure.fields import Code, Prose, RequestBody, set_model_example
from shared.pure.proposals import ChangeAlreadyProposed
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import PROBLEMS, Read, Router, refusals

PREFIX, TAGS = "/v1/legal-entities", ["legal entities"]
reads = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:read")], responses=PROBLEMS)
admin = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:admin")], responses=PROBLEMS)


class SecondPersonRuleIn(RequestBody):
    """Whether every refund needs a second person, and why."""

    model_config = set_model_example(required=False, reason="the company has one person")

    required: bool = Field(strict=True)
    reason: Prose


class SecondPersonRuleOut(BaseModel):
    """Whether every refund needs a second person; who said so, when and why is null while nobody has."""

    model_config = set_model_example(
        legal_entity="GS-DE",
        required=False,
        set_by="operator",
        reason="the company has one person",
        set_at="2026-03-02T09:00:00Z",
        proposed_change=None,
    )

    legal_entity: str
    required: bool
    set_by: str | None
    reason: str | None
    set_at: datetime | None
    proposed_change: SettingChangeOut | None

    @classmethod
    def from_second_person_rule(
        cls, legal_entity: str, row: SecondPersonRuleRow | None, proposed: SettingChangeOut | None
    ) -> Self:
        """Build the answer for a rule, or for the absence of one, and for what is proposed that it shall be."""
        rule: dict[str, Any] = {"required": True, "set_by": None, "reason": None, "set_at": None}
        if row is not None:
            rule = {"required": row.is_required, "set_by": row.set_by, "reason": row.reason, "set_at": row.set_at}
        return cls(legal_entity=legal_entity, proposed_change=proposed, **rule)


async def _load_rule(unit: Unit, code: str) -> SecondPersonRuleOut:
    proposed = await find_pending_setting_change(unit, SettingKind.SECOND_PERSON, code)
    return SecondPersonRuleOut.from_second_person_rule(code, await find_second_person_rule(unit, code), proposed)


@reads.get("/{code}/second-person", summary="Whether a second person is required")
async def get_second_person(code: Code, read: Read) -> SecondPersonRuleOut:
    """The rule of a legal entity; a second person is required unless it says otherwise."""

    async def load_second_person_rule(unit: Unit) -> SecondPersonRuleOut:
        await check_addressed_legal_entity(unit, code)
        return await _load_rule(unit, code)

    return await read(load_second_person_rule)


@admin.put(
    "/{code}/second-person",
    response_model=SecondPersonRuleOut,
    summary="Say whether a second person is required",
    responses={**CHANGE_PROPOSED, **refusals(ChangeAlreadyProposed)},
)
async def put_second_person(
    code: Code, wanted: SecondPersonRuleIn, command: Annotated[ChangeRunner, perform_change("second_person.set")]
) -> SecondPersonRuleOut | Response:
    """Set whether a refund within the limit of whoever wants it, and a change of a setting, needs somebody else.

    It holds for what is asked for from now on; what is above a limit waits for a second person in any case, and so
    does what was proposed before. That none is required needs a second person itself (202) once the legal entity has
    issued an invoice.
    """

    async def put_second_person_rule(unit: Unit) -> Response | SecondPersonRuleOut:
        row = await change_second_person_rule(
            unit, command.caller, code, is_required=wanted.required, reason=wanted.reason
        )
        return await _load_rule(unit, code) if is_setting_change_applied(row) else answer_pending_setting_change(row)

    return await command.run(put_second_person_rule, reason=wanted.reason)
