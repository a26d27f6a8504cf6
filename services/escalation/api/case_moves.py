"""Moves of cases over REST: begun, waiting, resolved, closed, opened again, merged."""

from typing import Annotated
from uuid import UUID

from fastapi import Response

from services.escalation import use_cases
from services.escalation.api.case_bodies import CaseClosingIn, CaseMergeIn, CaseOut, CaseResolutionIn, CaseWaitIn
from services.escalation.domain.cases import (
    CaseAffectsCustomer,
    CaseMergeRefused,
    CaseReopenedTooLate,
    CaseState,
    CustomerNotInformed,
)
from services.escalation.domain.inbound_mails import UnreadCustomerAnswer
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.use_cases.case_moves import CaseForCauseExists, DisputeOfCaseUndecided
from shared.persistence.database import Unit
from shared.pure.fields import ReasonIn
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Router, refusals

writes = Router(prefix="/v1/cases", tags=["cases"], dependencies=[needs("escalation:write")], responses=PROBLEMS)

WAITING_STATES = {"customer": CaseState.WAITING_FOR_CUSTOMER, "vendor": CaseState.WAITING_FOR_VENDOR}


@writes.post(
    "/{case_id}:start",
    status_code=200,
    response_model=CaseOut,
    summary="Work on a case",
    responses=refusals(StateMoveRefused),
)
async def start_case(
    case_id: UUID, basis: ReasonIn, command: Annotated[CommandRunner, perform_command("case.start")]
) -> Response:
    """It is our turn: somebody begins, or what was waited for is there."""
    return await _move(command, case_id, CaseState.IN_PROGRESS, basis.reason)


@writes.post(
    "/{case_id}:wait",
    status_code=200,
    response_model=CaseOut,
    summary="Wait for the customer or the vendor",
    responses=refusals(StateMoveRefused),
)
async def wait_for_side(
    case_id: UUID, waiting: CaseWaitIn, command: Annotated[CommandRunner, perform_command("case.wait")]
) -> Response:
    """The other side acts next. A case in progress only: what nobody has begun waits for us."""
    return await _move(command, case_id, WAITING_STATES[waiting.waiting_for], waiting.reason)


async def _move(command: CommandRunner, case_id: UUID, wanted: CaseState, reason: str) -> Response:
    async def move_once(unit: Unit) -> CaseOut:
        actor = command.caller.subject
        return CaseOut.from_row(await use_cases.case_moves.move_case_by_hand(unit, case_id, wanted, actor, reason))

    return await command.run(move_once, status=200, reason=reason, subject=case_id)


@writes.post(
    "/{case_id}:resolve",
    status_code=200,
    response_model=CaseOut,
    summary="Resolve a case",
    responses=refusals(StateMoveRefused, DisputeOfCaseUndecided),
)
async def resolve_case(
    case_id: UUID, resolved: CaseResolutionIn, command: Annotated[CommandRunner, perform_command("case.resolve")]
) -> Response:
    """The outcome is known; now the customer must be told. A dispute's case gets its outcome from the dispute."""

    async def resolve(unit: Unit) -> CaseOut:
        actor = command.caller.subject
        row = await use_cases.case_moves.resolve_case_by_hand(unit, case_id, resolved.outcome, actor, resolved.reason)
        return CaseOut.from_row(row)

    return await command.run(resolve, status=200, reason=resolved.reason, subject=case_id)


@writes.post(
    "/{case_id}:close",
    status_code=200,
    response_model=CaseOut,
    summary="Close a case",
    responses=refusals(CustomerNotInformed, CaseAffectsCustomer, UnreadCustomerAnswer, StateMoveRefused),
)
async def close_case(
    case_id: UUID, closing: CaseClosingIn, command: Annotated[CommandRunner, perform_command("case.close")]
) -> Response:
    """Close the loop: 409 `customer_not_told` until a contact about the outcome was recorded after it was known.

    409 `unread_answer` while the customer has answered and nobody has read it. That no customer is affected can be
    said, in words, of what was not opened for one.
    """

    async def close(unit: Unit) -> CaseOut:
        row = await use_cases.case_moves.close_case_by_hand(
            unit, case_id, command.caller.subject, closing.no_customer_affected, closing.reason
        )
        return CaseOut.from_row(row)

    return await command.run(close, status=200, reason=closing.reason, subject=case_id)


@writes.post(
    "/{case_id}:reopen",
    status_code=200,
    response_model=CaseOut,
    summary="Open a case again",
    responses=refusals(StateMoveRefused, CaseReopenedTooLate, CaseForCauseExists),
)
async def reopen_case(
    case_id: UUID, basis: ReasonIn, command: Annotated[CommandRunner, perform_command("case.reopen")]
) -> Response:
    """The problem is not solved: the case goes on with all that it has, until 30 days after its closing.

    What the customer was told before does not close the loop again.
    """

    async def reopen(unit: Unit) -> CaseOut:
        row = await use_cases.case_moves.reopen_case_by_hand(unit, case_id, command.caller.subject, basis.reason)
        return CaseOut.from_row(row)

    return await command.run(reopen, status=200, reason=basis.reason, subject=case_id)


@writes.post(
    "/{case_id}:merge",
    status_code=200,
    response_model=CaseOut,
    summary="Merge a case into another",
    responses=refusals(StateMoveRefused, CaseMergeRefused),
)
async def merge_case(
    case_id: UUID, merging: CaseMergeIn, command: Annotated[CommandRunner, perform_command("case.merge")]
) -> Response:
    """Let a case go on in another one of the same account, whose thread shows the entries of both."""

    async def merge(unit: Unit) -> CaseOut:
        actor = command.caller.subject
        return CaseOut.from_row(
            await use_cases.case_moves.merge_case_by_hand(unit, case_id, merging.into_case_id, actor, merging.reason)
        )

    return await command.run(merge, status=200, reason=merging.reason, subject=case_id)
