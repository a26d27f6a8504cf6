"""Refunds over REST."""

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
from shared.pure.money import CurrencyMismatch, MoneyModel
from shared.pure.proposals import ChangeAlreadyProposed
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Router, refusals

writes = Router(prefix="/v1/refunds", tags=["refunds"], dependencies=[needs("invoicing:credits")], responses=PROBLEMS)


class RefundReason(StrEnum):
    """Why money is paid back; reports go by it."""

    OVERPAYMENT = "overpayment"
    PAID_TWICE = "paid_twice"
    CREDIT = "credit"
    ACCOUNT_CLOSED = "account_closed"


class RefundIn(RequestBody):
    """The part of an account's unapplied cash that is to be paid back, and why."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        amount={"amount_minor": 1250, "currency": "EUR"},
        reason_code="overpayment",
        reason="the customer asked for it by letter",
    )

    account_id: UUID
    amount: MoneyModel
    reason_code: RefundReason
    reason: Prose


@writes.post(
    "",
    status_code=201,
    response_model=ApprovalOut,
    summary="Refund unapplied cash",
    responses={**PROPOSED, **refusals(AmountAboveBalance, ChangeAlreadyProposed, CurrencyMismatch)},
)
async def propose_refund(
    wanted: RefundIn, command: Annotated[CommandRunner, perform_command("refund.propose")]
) -> Response:
    """Hold unapplied cash, oldest payment first, until a second person approves or declines it.

    Where the legal entity requires no second person, an amount within a limit of your roles is paid back at once.
    """
    stated_reason = AdjustmentReason(wanted.reason_code, wanted.reason)

    async def propose_account_refund(unit: Unit) -> ApprovalOut:
        row = await approval_decisions.propose_refund(
            unit, command.caller, wanted.account_id, wanted.amount.money(), stated_reason
        )
        return ApprovalOut.from_approval_row(row)

    return await command.run(
        propose_account_refund, status=get_approval_status_code, reason=wanted.reason, subject=wanted.account_id
    )
