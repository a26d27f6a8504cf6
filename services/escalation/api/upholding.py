"""The upholding of disputes over REST: wholly or partly, alone or by two persons."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Response

from services.escalation import use_cases
from services.escalation.api.dispute_bodies import DisputeOut, DisputeUpholdingIn
from services.escalation.domain.disputes import ApprovedAmountsRefused, DisputeCreditsNothing, DisputeState
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.tables import DisputeRow
from services.escalation.use_cases.dispute_items import DisputeAmendmentPending
from services.escalation.use_cases.upholding import (
    CONFIRM,
    DECLINE,
    UPHOLD,
    AuthorisationUnavailable,
    DisputeAboveLimit,
    TaxLineCreditedInFull,
    UpholdingDecision,
)
from shared.persistence.database import Unit
from shared.pure.fields import ReasonIn
from shared.pure.proposals import SecondPersonNeeded
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Router, refusals

writes = Router(prefix="/v1/disputes", tags=["disputes"], dependencies=[needs("escalation:write")], responses=PROBLEMS)

DECLINING_REFUSALS = (
    DisputeAboveLimit,
    DisputeAmendmentPending,
    ApprovedAmountsRefused,
    AuthorisationUnavailable,
    SecondPersonNeeded,
)
CONFIRMING_REFUSALS = (*DECLINING_REFUSALS, TaxLineCreditedInFull)
UPHOLDING_REFUSALS = (*CONFIRMING_REFUSALS, DisputeCreditsNothing)

Decide = Callable[..., Awaitable[DisputeRow]]
"""A use case of upholding: of a unit, the dispute's id, the caller, the reason, the decision, and whether the caller
may take it alone."""


async def _decide_upholding(
    decide: Decide, decision: UpholdingDecision, dispute_id: UUID, basis: ReasonIn, command: CommandRunner
) -> Response:
    """Ask invoicing about the caller, and then do it in one unit."""
    authorised = await use_cases.upholding.is_upholding_authorised(
        command.runtime, dispute_id, command.caller, decision
    )

    async def decide_once(unit: Unit) -> DisputeOut:
        row = await decide(unit, dispute_id, command.caller, basis.reason, decision, authorised=authorised)
        return DisputeOut.from_row(row)

    return await command.run(decide_once, status=_status_of, reason=basis.reason, subject=dispute_id)


def _status_of(dispute: DisputeOut) -> int:
    return 202 if dispute.state is DisputeState.WAITING_FOR_SECOND_PERSON else 200


@writes.post(
    "/{dispute_id}:uphold",
    status_code=200,
    response_model=DisputeOut,
    summary="Uphold a dispute",
    responses={
        202: {"model": DisputeOut, "description": "above your limit: a second person decides"},
        **refusals(StateMoveRefused, *UPHOLDING_REFUSALS),
    },
)
async def uphold_dispute(
    dispute_id: UUID, approval: DisputeUpholdingIn, command: Annotated[CommandRunner, perform_command("dispute.uphold")]
) -> Response:
    """The customer is right, wholly or of some amounts: invoicing credits what is approved and releases the rest.

    Above the limit of your roles it waits for a second person (`waiting_for_second_person`).
    """
    decision = replace(UPHOLD, approved=approval.map_approved())
    await use_cases.upholding.check_tax_lines_approved(command.runtime, dispute_id, decision)
    return await _decide_upholding(use_cases.upholding.uphold_or_propose, decision, dispute_id, approval, command)


@writes.post(
    "/{dispute_id}:confirm",
    status_code=200,
    response_model=DisputeOut,
    summary="Confirm that a dispute is upheld",
    responses=refusals(StateMoveRefused, *CONFIRMING_REFUSALS),
)
async def confirm_upholding(
    dispute_id: UUID, basis: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.confirm")]
) -> Response:
    """Uphold what another person proposed to uphold; the amount must be within a limit of your roles."""
    await use_cases.upholding.check_tax_lines_approved(command.runtime, dispute_id, CONFIRM)
    return await _decide_upholding(use_cases.upholding.confirm_proposed_upholding, CONFIRM, dispute_id, basis, command)


@writes.post(
    "/{dispute_id}:decline",
    status_code=200,
    response_model=DisputeOut,
    summary="Decline to uphold a dispute",
    responses=refusals(StateMoveRefused, *DECLINING_REFUSALS),
)
async def decline_upholding(
    dispute_id: UUID, basis: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.decline")]
) -> Response:
    """Leave the dispute open that was proposed to be upheld; who proposed it may take that back alone."""
    return await _decide_upholding(use_cases.upholding.decline_upholding, DECLINE, dispute_id, basis, command)
