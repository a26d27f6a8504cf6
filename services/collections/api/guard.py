"""The guard over REST: how many suspensions go out before a person must look."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Response
from pydantic import BaseModel, Field

from services.collections import use_cases
from services.collections.api.guard_limits import LIMITS_PROPOSED, GuardLimitChangeOut
from services.collections.domain.guard import LimitChangeState
from services.collections.domain.policy import SuspensionLimits
from services.collections.repository import guard_queries
from services.collections.repository.guard_limit_queries import find_open_guard_change
from services.collections.repository.guard_queries import SuspensionGuardState
from services.collections.use_cases.guard import Decision
from services.collections.use_cases.guard_limits import change_guard_limits
from shared.persistence.database import Unit
from shared.pure.fields import ReasonIn, set_model_example
from shared.pure.proposals import ChangeAlreadyProposed
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Read, Router, refusals

reads = Router(prefix="/v1", tags=["guard"], dependencies=[needs("collections:read")], responses=PROBLEMS)
limits = Router(prefix="/v1", tags=["guard"], dependencies=[needs("collections:admin")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["guard"], dependencies=[needs("collections:write")], responses=PROBLEMS)


class SuspensionGuardOut(BaseModel):
    """The guard as it stands; `requested` counts suspensions within the last hour of the business clock."""

    model_config = set_model_example(
        stopped=False,
        approved_until=None,
        requested=3,
        accounts=240,
        limits={"suspensions_per_hour": 25, "share_of_accounts_percent": 5},
        proposed_change=None,
    )

    stopped: bool
    approved_until: datetime | None
    requested: int = Field(description="suspensions of the last hour")
    accounts: int = Field(description="how many there are, of which the limit is a share")
    limits: SuspensionLimits | None = Field(
        description="past both of them a person must approve; null until there is a policy"
    )

    proposed_change: GuardLimitChangeOut | None = Field(description="looser limits that wait for a second person")

    @classmethod
    async def load(cls, unit: Unit, state: SuspensionGuardState) -> Self:
        """Load the answer for a state, with what is proposed."""
        standing = await find_open_guard_change(unit)
        proposed = GuardLimitChangeOut.from_row(standing) if standing else None
        return cls(**asdict(state), proposed_change=proposed)


class GuardLimitsIn(ReasonIn):
    """The limits that the guard shall have, and why."""

    model_config = set_model_example(
        suspensions_per_hour=50, share_of_accounts_percent=10, reason="a year without a false suspension"
    )

    suspensions_per_hour: int = Field(ge=0, lt=2**31, strict=True)
    share_of_accounts_percent: int = Field(ge=0, le=100, strict=True)


class DecisionOut(BaseModel):
    """A person's decision about the guard."""

    model_config = set_model_example(
        decision="approve",
        actor="head-of-collections",
        reason="looked at each: all of them are long overdue",
        decided_at="2026-04-14T08:10:00Z",
    )

    decision: str
    actor: str
    reason: str
    decided_at: datetime


@reads.get("/guard", summary="The guard")
async def get_guard(read: Read) -> SuspensionGuardOut:
    """Whether suspensions are stopped, and how many went out lately."""

    async def load(unit: Unit) -> SuspensionGuardOut:
        return await SuspensionGuardOut.load(unit, await guard_queries.get_suspension_guard_state(unit))

    return await read(load)


@reads.get("/guard/decisions", name="list_guard_decisions", summary="What persons decided about the guard")
async def list_decisions(read: Read) -> Page[DecisionOut]:
    """The last decisions, newest first."""
    decisions = await read(guard_queries.list_guard_decisions)
    return Page(items=[DecisionOut.model_validate(row) for row in decisions], next=None)


def _deciding(decision: Decision, command: Any, body: ReasonIn) -> Callable[[Unit], Awaitable[SuspensionGuardOut]]:
    async def decide(unit: Unit) -> SuspensionGuardOut:
        state = await use_cases.guard.record_guard_decision(unit, decision, command.caller.subject, body.reason)
        return await SuspensionGuardOut.load(unit, state)

    return decide


@writes.post("/guard:stop", status_code=200, response_model=SuspensionGuardOut, summary="Stop all suspensions")
async def stop_suspensions(
    body: ReasonIn, command: Annotated[CommandRunner, perform_command("guard.stop")]
) -> Response:
    """No suspension is requested or carried out until a person lets them go on."""
    return await command.run(_deciding("stop", command, body), status=200, reason=body.reason)


@writes.post("/guard:resume", status_code=200, response_model=SuspensionGuardOut, summary="Let suspensions go on")
async def resume_suspensions(
    body: ReasonIn, command: Annotated[CommandRunner, perform_command("guard.resume")]
) -> Response:
    """Suspensions go on; those that were held are judged again at once."""
    return await command.run(_deciding("resume", command, body), status=200, reason=body.reason)


@writes.post(
    "/guard:approve", status_code=200, response_model=SuspensionGuardOut, summary="Approve more than the limit"
)
async def approve_suspensions(
    body: ReasonIn, command: Annotated[CommandRunner, perform_command("guard.approve")]
) -> Response:
    """For an hour of the business clock the limit does not hold; those that were held are judged again."""
    return await command.run(_deciding("approve", command, body), status=200, reason=body.reason)


@limits.post(
    "/guard:set-limits",
    name="set_guard_limits",
    status_code=200,
    response_model=SuspensionGuardOut,
    summary="Set the limits of the guard",
    responses={**LIMITS_PROPOSED, **refusals(ChangeAlreadyProposed)},
)
async def set_limits(
    wanted: GuardLimitsIn, command: Annotated[CommandRunner, perform_command("guard.set_limits")]
) -> Response:
    """Set how many suspensions may go out within an hour without a person; the only way to loosen that.

    They hold at once and for all versions of the policy; those that were held are judged again. Looser ones need a
    second person (202) once a suspension was requested.
    """

    async def set_for_all(unit: Unit) -> SuspensionGuardOut | GuardLimitChangeOut:
        amounts = SuspensionLimits.model_validate(wanted.model_dump(exclude={"reason"}))
        row = await change_guard_limits(unit, command.caller, amounts, wanted.reason)
        if row.state == LimitChangeState.PROPOSED:
            return GuardLimitChangeOut.from_row(row)
        return await SuspensionGuardOut.load(unit, await guard_queries.get_suspension_guard_state(unit))

    return await command.run(
        set_for_all, status=lambda answer: 200 if isinstance(answer, SuspensionGuardOut) else 202, reason=wanted.reason
    )
