"""Write-offs over REST."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Response

from services.invoicing.adjustments.api.approval_routes import PROPOSED, ApprovalOut, get_approval_status_code
from services.invoicing.adjustments.use_cases import approval_decisions
from services.invoicing.adjustments.use_cases.approval_decisions import AdjustmentReason
from services.invoicing.receivables.domain.invoice_balances import AmountAboveBalance
from shared.persistence.database import Unit
from shared.pure.fields import Prose, RequestBody, set_model_example
from shared.pure.proposals import ChangeAlreadyProposed
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Router, refusals

writes = Router(
    prefix="/v1/write-offs", tags=["write-offs"], dependencies=[needs("invoicing:credits")], responses=PROBLEMS
)


class WriteOffReason(StrEnum):
    """Why a claim is given up; reports go by it."""

    INSOLVENCY = "insolvency"
    UNCOLLECTIBLE = "uncollectible"
    FRAUD = "fraud"
    SETTLEMENT = "settlement"


class WriteOffIn(RequestBody):
    """The invoice whose open amount is given up, and why."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7", reason_code="insolvency", reason="proceedings closed"
    )

    invoice_id: UUID
    reason_code: WriteOffReason
    reason: Prose


@writes.post(
    "",
    status_code=201,
    response_model=ApprovalOut,
    summary="Write an invoice off",
    responses={**PROPOSED, **refusals(AmountAboveBalance, ChangeAlreadyProposed)},
)
async def write_off(
    wanted: WriteOffIn, command: Annotated[CommandRunner, perform_command("write_off.propose")]
) -> Response:
    """Give up what is open, if that is within a limit of your roles; else it is proposed to a second person.

    It is open no more, and lifts no suspension; the claim stays beside, and a payment of it is a recovery.
    """
    stated_reason = AdjustmentReason(wanted.reason_code, wanted.reason)

    async def propose_invoice_write_off(unit: Unit) -> ApprovalOut:
        return ApprovalOut.from_approval_row(
            await approval_decisions.propose_write_off(unit, command.caller, wanted.invoice_id, stated_reason)
        )

    return await command.run(
        propose_invoice_write_off, status=get_approval_status_code, reason=wanted.reason, subject=wanted.invoice_id
    )
