"""Limits of the guard over REST: changed at once or by two, with their history."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from services.collections.domain.guard import GuardLimitChangeMoveRefused, LimitChangeState
from services.collections.domain.policy import SuspensionLimits
from services.collections.repository.guard_limit_queries import get_guard_limit_change, list_guard_limit_changes
from services.collections.tables import GuardLimitChangeRow
from services.collections.use_cases.guard_limits import (
    approve_guard_limits,
    decline_guard_limits,
    withdraw_guard_limits,
)
from shared.persistence.database import Unit
from shared.pure.fields import ReasonIn, set_model_example
from shared.pure.proposals import NotTheProposer, ProposedFactsChanged, SecondPersonNeeded
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

PREFIX, TAGS = "/v1/guard/limit-changes", ["guard"]
reads = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("collections:read")], responses=PROBLEMS)
decisions = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("collections:admin")], responses=PROBLEMS)


class GuardLimitChangeOut(BaseModel):
    """A change of the guard's limits that somebody wants: carried out at once, or proposed to a second person."""

    model_config = set_model_example(
        id="01a20d65-3c11-7f02-9a4e-6c1d2e8b7f40",
        previous={"suspensions_per_hour": 25, "share_of_accounts_percent": 5},
        proposed={"suspensions_per_hour": 50, "share_of_accounts_percent": 10},
        reason="a year without a false suspension",
        state="proposed",
        proposed_by="operator",
        proposed_at="2026-03-20T09:00:00Z",
        decided_by=None,
        decision_reason=None,
        decided_at=None,
    )

    id: UUID
    previous: SuspensionLimits | None = Field(description="null where there were none")
    proposed: SuspensionLimits
    reason: str
    state: LimitChangeState
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = Field(description="nobody: it needed no second person; the proposer: withdrawn")
    decision_reason: str | None
    decided_at: datetime | None

    @classmethod
    def from_row(cls, row: GuardLimitChangeRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row.model_dump() | {"previous": row.former or None, "proposed": row.wanted})


LIMITS_PROPOSED: dict[int | str, dict[str, Any]] = {
    202: {"model": GuardLimitChangeOut, "description": "proposed: a second person decides, and nothing is changed yet"},
}
"""The answer of what proposes a change, for the API's document."""


@reads.get("", summary="List changes of the guard's limits")
async def list_limit_changes(read: Read, paging: Paging) -> Page[GuardLimitChangeOut]:
    """The history of the limits, in the order in which their changes were wanted."""
    rows = await read(lambda unit: list_guard_limit_changes(unit, paging.get_last_id(), paging.limit + 1))
    return paging.page([GuardLimitChangeOut.from_row(row) for row in rows], key=lambda change: change.id)


@reads.get("/{guard_limit_change_id}", summary="One change of the guard's limits")
async def get_limit_change(guard_limit_change_id: UUID, read: Read) -> GuardLimitChangeOut:
    """Who wanted which limits, why, and what became of it."""
    return GuardLimitChangeOut.from_row(await read(lambda unit: get_guard_limit_change(unit, guard_limit_change_id)))


Decide = Callable[[Unit], Awaitable[GuardLimitChangeRow]]


async def _run_decision(command: CommandRunner, decide: Decide, reason: str) -> Response:
    async def act(unit: Unit) -> GuardLimitChangeOut:
        return GuardLimitChangeOut.from_row(await decide(unit))

    return await command.run(act, status=200, reason=reason)


@decisions.post(
    "/{guard_limit_change_id}:approve",
    status_code=200,
    response_model=GuardLimitChangeOut,
    summary="Approve looser limits",
    responses=refusals(GuardLimitChangeMoveRefused, ProposedFactsChanged, SecondPersonNeeded),
)
async def approve_limit_change(
    guard_limit_change_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("guard.approve_limits")],
) -> Response:
    """Set the limits that somebody else proposed; suspensions that were held are judged again."""

    async def decide(unit: Unit) -> GuardLimitChangeRow:
        return await approve_guard_limits(unit, guard_limit_change_id, command.caller, grounds.reason)

    return await _run_decision(command, decide, grounds.reason)


@decisions.post(
    "/{guard_limit_change_id}:decline",
    status_code=200,
    response_model=GuardLimitChangeOut,
    summary="Decline looser limits",
    responses=refusals(GuardLimitChangeMoveRefused, SecondPersonNeeded),
)
async def decline_limit_change(
    guard_limit_change_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("guard.decline_limits")],
) -> Response:
    """Keep the limits that somebody else proposed to loosen."""

    async def decide(unit: Unit) -> GuardLimitChangeRow:
        return await decline_guard_limits(unit, guard_limit_change_id, command.caller, grounds.reason)

    return await _run_decision(command, decide, grounds.reason)


@decisions.post(
    "/{guard_limit_change_id}:withdraw",
    status_code=200,
    response_model=GuardLimitChangeOut,
    summary="Withdraw looser limits",
    responses=refusals(GuardLimitChangeMoveRefused, NotTheProposer),
)
async def withdraw_limit_change(
    guard_limit_change_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("guard.withdraw_limits")],
) -> Response:
    """Take back what you proposed yourself. It needs no second person."""

    async def decide(unit: Unit) -> GuardLimitChangeRow:
        return await withdraw_guard_limits(unit, guard_limit_change_id, command.caller, grounds.reason)

    return await _run_decision(command, decide, grounds.reason)
