"""Changes of settings over REST: their history, and what a second person decides."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Query, Response

from services.invoicing.accounts.repository.legal_entity_queries import UnknownLegalEntity, check_listed_legal_entity
from services.invoicing.adjustments.use_cases.approval_limits import OwnApprovalLimit
from services.invoicing.revenue.use_cases import LedgerMonthAlreadyClosed
from services.invoicing.setting_decisions.use_cases import setting_decisions
from services.invoicing.settings.api import SettingChangeOut
from services.invoicing.settings.domain.approval_states import ApprovalState, StateMoveRefused
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.repository.setting_change_queries import (
    SettingChangeCriteria,
    get_setting_change_row,
    search_setting_changes,
)
from services.invoicing.settings.tables import SettingChangeRow
from shared.persistence.database import Unit
from shared.pure.fields import Code, ReasonIn
from shared.pure.proposals import NotTheProposer, ProposedFactsChanged, SecondPersonNeeded
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


@reads.get("", summary="List changes of settings", responses=refusals(UnknownLegalEntity))
async def list_setting_changes(
    read: Read,
    paging: Paging,
    kind: Annotated[SettingKind | None, Query()] = None,
    state: Annotated[ApprovalState | None, Query(description="proposed: waits for a second person")] = None,
    legal_entity: Annotated[Code | None, Query()] = None,
) -> Page[SettingChangeOut]:
    """The history of settings that move money, in the order in which their changes were wanted."""
    criteria, after = (
        SettingChangeCriteria(kind and kind.value, state and state.value, legal_entity),
        paging.get_last_id(),
    )

    async def load_setting_changes(unit: Unit) -> list[asyncpg.Record]:
        await check_listed_legal_entity(unit, legal_entity)
        return await search_setting_changes(unit, criteria, after, paging.limit + 1)

    return paging.page(
        [SettingChangeOut.from_setting_change_row(row) for row in await read(load_setting_changes)],
        key=lambda change: change.id,
    )


@reads.get("/{setting_change_id}", summary="One change of a setting")
async def get_setting_change(setting_change_id: UUID, read: Read) -> SettingChangeOut:
    """Who wanted which setting to be what, why, and what became of it."""
    return SettingChangeOut.from_setting_change_row(
        await read(lambda unit: get_setting_change_row(unit, setting_change_id))
    )


Decide = Callable[[Unit], Awaitable[SettingChangeRow]]


async def _run_decision(command: CommandRunner, decide: Decide, reason: str) -> Response:
    async def decide_setting_change(unit: Unit) -> SettingChangeOut:
        return SettingChangeOut.from_setting_change_row(await decide(unit))

    return await command.run(decide_setting_change, status=200, reason=reason)


@decisions.post(
    "/{setting_change_id}:approve",
    status_code=200,
    response_model=SettingChangeOut,
    summary="Approve a change of settings",
    responses=refusals(
        StateMoveRefused, ProposedFactsChanged, LedgerMonthAlreadyClosed, SecondPersonNeeded, OwnApprovalLimit
    ),
)
async def approve_setting_change(
    setting_change_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("setting_change.approve")],
) -> Response:
    """Carry out what somebody else proposed, with the scope that proposing it needs."""

    async def approve_proposed_change(unit: Unit) -> SettingChangeRow:
        return await setting_decisions.approve_setting_change(unit, setting_change_id, command.caller, grounds.reason)

    return await _run_decision(command, approve_proposed_change, grounds.reason)


@decisions.post(
    "/{setting_change_id}:decline",
    status_code=200,
    response_model=SettingChangeOut,
    summary="Decline a change of settings",
    responses=refusals(StateMoveRefused, SecondPersonNeeded),
)
async def decline_setting_change(
    setting_change_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("setting_change.decline")],
) -> Response:
    """Do not change what somebody else proposed to change, with the scope that proposing it needs."""

    async def decline_proposed_change(unit: Unit) -> SettingChangeRow:
        return await setting_decisions.decline_setting_change(unit, setting_change_id, command.caller, grounds.reason)

    return await _run_decision(command, decline_proposed_change, grounds.reason)


@decisions.post(
    "/{setting_change_id}:withdraw",
    status_code=200,
    response_model=SettingChangeOut,
    summary="Withdraw a change of settings",
    responses=refusals(StateMoveRefused, NotTheProposer),
)
async def withdraw_setting_change(
    setting_change_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("setting_change.withdraw")],
) -> Response:
    """Take back what you proposed yourself. It needs no second person."""

    async def withdraw_proposed_change(unit: Unit) -> SettingChangeRow:
        return await setting_decisions.withdraw_setting_change(unit, setting_change_id, command.caller, grounds.reason)

    return await _run_decision(command, withdraw_proposed_change, grounds.reason)
