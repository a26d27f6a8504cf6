"""Changes of settings over REST: their history, and what a second person decides."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

import asyncpg
from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.invoicing import use_cases
from services.invoicing.domain.setting_change import SettingKind
from services.invoicing.domain.states import ApprovalState, MoveRefused
from services.invoicing.repository.legal_entities import UnknownLegalEntity, check_asked_entity
from services.invoicing.repository.setting_changes import SettingCriteria, get_change, list_standing, search_changes
from services.invoicing.tables import SettingChangeRow
from services.invoicing.use_cases.ledger import AlreadyClosed
from services.invoicing.use_cases.limits import OwnLimit
from shared.persistence.database import Unit
from shared.pure.fields import Code, ReasonIn, example
from shared.pure.proposals import FactsChanged, NotTheProposer, SecondPersonNeeded
from shared.web.auth import needs, needs_one_of
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

PREFIX, TAGS = "/v1/setting-changes", ["setting changes"]
reads = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:read")], responses=PROBLEMS)
decisions = Router(
    prefix=PREFIX,
    tags=TAGS,
    dependencies=[needs_one_of("invoicing:settings", "invoicing:admin")],
    responses=PROBLEMS,
)


class SettingChangeOut(BaseModel):
    """A change of a setting that somebody wants: carried out at once, or proposed to a second person."""

    model_config = example(
        id="01a20d65-3c11-7f02-9a4e-6c1d2e8b7f40",
        kind="tolerance",
        key="GS-DE/EUR",
        legal_entity="GS-DE",
        former={"amount_minor": 5},
        wanted={"amount_minor": 10},
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
    former: dict[str, Any] = Field(description="values that it replaces; empty where nothing was set")
    wanted: dict[str, Any]
    reason: str | None
    state: ApprovalState
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = Field(description="nobody: it needed no second person; the proposer: withdrawn")
    decision_reason: str | None
    decided_at: datetime | None

    @classmethod
    def from_row(cls, row: SettingChangeRow | asyncpg.Record) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row.model_dump() if isinstance(row, SettingChangeRow) else dict(row))


CHANGE_PROPOSED: dict[int | str, dict[str, Any]] = {
    202: {"model": SettingChangeOut, "description": "proposed: a second person decides, and nothing is changed yet"},
}
"""The answer of what proposes a change, for the API's document."""


def answer_proposed(row: SettingChangeRow) -> Response:
    """Answer a PUT with the change that waits for a second person."""
    return Response(SettingChangeOut.from_row(row).model_dump_json(), 202, media_type="application/json")


def get_status(answer: BaseModel, done: int) -> int:
    """Return the status of an answer: 202 for what waits for a second person, `done` for what was carried out."""
    return 202 if isinstance(answer, SettingChangeOut) else done


async def list_proposed(unit: Unit, kind: SettingKind, keys: Sequence[str] | None = None) -> list[SettingChangeOut]:
    """List the changes of a kind that wait for a second person, to be shown beside what holds."""
    return [SettingChangeOut.from_row(row) for row in await list_standing(unit, kind, keys)]


async def find_proposed(unit: Unit, kind: SettingKind, key: str) -> SettingChangeOut | None:
    """Find the change of a setting that waits for a second person, to be shown beside what holds."""
    return next(iter(await list_proposed(unit, kind, [key])), None)


@reads.get("", summary="List changes of settings", responses=refusals(UnknownLegalEntity))
async def list_setting_changes(
    read: Read,
    paging: Paging,
    kind: Annotated[SettingKind | None, Query()] = None,
    state: Annotated[ApprovalState | None, Query(description="proposed: waits for a second person")] = None,
    legal_entity: Annotated[Code | None, Query()] = None,
) -> Page[SettingChangeOut]:
    """The history of settings that move money, in the order in which their changes were wanted."""
    criteria, after = SettingCriteria(kind and kind.value, state and state.value, legal_entity), paging.after_id()

    async def load(unit: Unit) -> list[asyncpg.Record]:
        await check_asked_entity(unit, legal_entity)
        return await search_changes(unit, criteria, after, paging.limit + 1)

    return paging.page([SettingChangeOut.from_row(row) for row in await read(load)], key=lambda change: change.id)


@reads.get("/{setting_change_id}", summary="One change of a setting")
async def get_setting_change(setting_change_id: UUID, read: Read) -> SettingChangeOut:
    """Who wanted which setting to be what, why, and what became of it."""
    return SettingChangeOut.from_row(await read(lambda unit: get_change(unit, setting_change_id)))


Decide = Callable[[Unit], Awaitable[SettingChangeRow]]


async def _run_decision(command: CommandRunner, decide: Decide, reason: str) -> Response:
    async def act(unit: Unit) -> SettingChangeOut:
        return SettingChangeOut.from_row(await decide(unit))

    return await command.run(act, status=200, reason=reason)


@decisions.post(
    "/{setting_change_id}:approve",
    status_code=200,
    response_model=SettingChangeOut,
    summary="Approve a change of settings",
    responses=refusals(MoveRefused, FactsChanged, AlreadyClosed, SecondPersonNeeded, OwnLimit),
)
async def approve_setting_change(
    setting_change_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("setting_change.approve")],
) -> Response:
    """Carry out what somebody else proposed, with the scope that proposing it needs."""

    async def decide(unit: Unit) -> SettingChangeRow:
        return await use_cases.setting_decisions.approve_change(unit, setting_change_id, command.caller, grounds.reason)

    return await _run_decision(command, decide, grounds.reason)


@decisions.post(
    "/{setting_change_id}:decline",
    status_code=200,
    response_model=SettingChangeOut,
    summary="Decline a change of settings",
    responses=refusals(MoveRefused, SecondPersonNeeded),
)
async def decline_setting_change(
    setting_change_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("setting_change.decline")],
) -> Response:
    """Do not change what somebody else proposed to change, with the scope that proposing it needs."""

    async def decide(unit: Unit) -> SettingChangeRow:
        return await use_cases.setting_decisions.decline_change(unit, setting_change_id, command.caller, grounds.reason)

    return await _run_decision(command, decide, grounds.reason)


@decisions.post(
    "/{setting_change_id}:withdraw",
    status_code=200,
    response_model=SettingChangeOut,
    summary="Withdraw a change of settings",
    responses=refusals(MoveRefused, NotTheProposer),
)
async def withdraw_setting_change(
    setting_change_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("setting_change.withdraw")],
) -> Response:
    """Take back what you proposed yourself. It needs no second person."""

    async def decide(unit: Unit) -> SettingChangeRow:
        return await use_cases.setting_decisions.withdraw_change(
            unit, setting_change_id, command.caller, grounds.reason
        )

    return await _run_decision(command, decide, grounds.reason)
