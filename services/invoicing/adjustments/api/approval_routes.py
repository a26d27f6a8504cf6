"""Approvals: what a second person decides, and up to what a role decides by itself."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.invoicing.adjustments.repository import approval_queries
from services.invoicing.adjustments.tables.approval_tables import ApprovalRow
from services.invoicing.adjustments.use_cases import approval_decisions, approval_limits
from services.invoicing.adjustments.use_cases.approval_decisions import AboveApprovalLimit
from services.invoicing.adjustments.use_cases.approval_limits import OwnApprovalLimit
from services.invoicing.payments.api.payment_routes import LineAmount
from services.invoicing.receivables.domain.invoice_balances import AmountAboveBalance
from services.invoicing.settings.api import (
    CHANGE_PROPOSED,
    SettingChangeOut,
    answer_pending_setting_change,
    list_pending_setting_changes,
)
from services.invoicing.settings.domain.approval_states import ApprovalState, StateMoveRefused
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.tables import SettingChangeRow
from services.invoicing.settings.use_cases import is_setting_change_applied
from shared.persistence.database import Unit
from shared.pure.fields import Code, Prose, ReasonIn, RequestBody, get_model_example, set_model_example
from shared.pure.money import Currency, Minor, Money
from shared.pure.proposals import ChangeAlreadyProposed, NotTheProposer, SecondPersonNeeded
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, CommandRunner, perform_change, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1", tags=["approvals"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["approvals"], dependencies=[needs("invoicing:credits")], responses=PROBLEMS)
limits = Router(prefix="/v1", tags=["approvals"], dependencies=[needs("invoicing:admin")], responses=PROBLEMS)


class ApprovalOut(BaseModel):
    """A credit note, write-off or refund that somebody wants: carried out at once within their limit, or proposed."""

    model_config = set_model_example(
        id="01a20d65-3c11-7f02-9a4e-6c1d2e8b7f40",
        kind="credit_note",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        amount_minor=5040,
        currency="EUR",
        lines=[{"line": 1, "amount_minor": 5040}],
        reason_code="goodwill",
        reason="two days without service",
        state="carried_out",
        proposed_by="operator",
        proposed_at="2026-03-20T09:00:00Z",
        decided_by=None,
        decision_reason=None,
        decided_at="2026-03-20T09:00:00Z",
        credit_note_id="01a20d65-4d12-7a13-8b5f-7d2e3f9c8a51",
    )

    id: UUID
    kind: str
    account_id: UUID
    invoice_id: UUID | None
    amount_minor: int
    currency: str
    lines: list[LineAmount] = Field(description="of a credit note")
    reason_code: str
    reason: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = Field(description="nobody: within the proposer's own limit; the proposer: withdrawn")
    decision_reason: str | None
    decided_at: datetime | None
    credit_note_id: UUID | None

    @classmethod
    def from_approval_row(cls, row: ApprovalRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row.model_dump() | {"lines": LineAmount.list_from_line_amounts(row.lines)})


PROPOSED: dict[int | str, dict[str, Any]] = {
    202: {"model": ApprovalOut, "description": "proposed: a second person decides"},
}
"""The answer of what creates a proposal, for the API's document."""


def get_approval_status_code(approval: ApprovalOut) -> int:
    """Return the status of an answer: 202 for what waits for a second person, 201 for what was carried out."""
    return 202 if approval.state == ApprovalState.PROPOSED else 201


class LimitIn(RequestBody):
    """Up to what a role decides, and why."""

    model_config = set_model_example(amount_minor=50000, reason="resolution of the board, 2026-01-15")

    amount_minor: Minor
    reason: Prose


class LimitOut(BaseModel):
    """Up to what a role gives by itself in a day, or approves of what others propose, to all and to one account."""

    model_config = set_model_example(
        role="billing_lead", currency="EUR", amount_minor=50000, set_by="operator", reason="board"
    )

    role: str
    currency: str
    amount_minor: int
    set_by: str
    reason: str


class LimitsOut(BaseModel):
    """All limits, and what is proposed that they shall be."""

    model_config = set_model_example(limits=[get_model_example(LimitOut)], proposed=[])

    limits: list[LimitOut]
    proposed: list[SettingChangeOut]


@reads.get("/approvals", summary="List approvals")
async def list_approvals(
    read: Read,
    paging: Paging,
    state: Annotated[ApprovalState | None, Query(description="proposed: waits for a second person")] = None,
    account_id: Annotated[UUID | None, Query()] = None,
) -> Page[ApprovalOut]:
    """Credit notes, write-offs and refunds that were wanted, in the order of their ids."""
    after = paging.get_last_id()
    rows = await read(
        lambda unit: approval_queries.list_approvals(unit, state and state.value, account_id, after, paging.limit + 1)
    )
    return paging.page([ApprovalOut.from_approval_row(row) for row in rows], key=lambda row: row.id)


@reads.get("/approvals/{approval_id}", summary="One approval")
async def get_approval(approval_id: UUID, read: Read) -> ApprovalOut:
    """Who wanted what, why, and what became of it."""
    return ApprovalOut.from_approval_row(await read(lambda unit: approval_queries.get_approval(unit, approval_id)))


@writes.post(
    "/approvals/{approval_id}:approve",
    status_code=200,
    response_model=ApprovalOut,
    summary="Approve",
    responses=refusals(StateMoveRefused, AmountAboveBalance, AboveApprovalLimit, SecondPersonNeeded),
)
async def approve_proposal(
    approval_id: UUID, reason_body: ReasonIn, command: Annotated[CommandRunner, perform_command("approval.approve")]
) -> Response:
    """Do what somebody else proposed; it counts for you, and must be within what your roles give in a day."""

    async def approve_and_show_proposal(unit: Unit) -> ApprovalOut:
        return ApprovalOut.from_approval_row(
            await approval_decisions.approve_adjustment(unit, approval_id, command.caller, reason_body.reason)
        )

    return await command.run(approve_and_show_proposal, status=200, reason=reason_body.reason, subject=approval_id)


@writes.post(
    "/approvals/{approval_id}:decline",
    status_code=200,
    response_model=ApprovalOut,
    summary="Decline",
    responses=refusals(StateMoveRefused, AboveApprovalLimit, SecondPersonNeeded),
)
async def decline_proposal(
    approval_id: UUID, reason_body: ReasonIn, command: Annotated[CommandRunner, perform_command("approval.decline")]
) -> Response:
    """Do not do what somebody else proposed; what a refund held is unapplied cash again."""

    async def decline_and_show_proposal(unit: Unit) -> ApprovalOut:
        return ApprovalOut.from_approval_row(
            await approval_decisions.decline_adjustment(unit, approval_id, command.caller, reason_body.reason)
        )

    return await command.run(decline_and_show_proposal, status=200, reason=reason_body.reason, subject=approval_id)


@writes.post(
    "/approvals/{approval_id}:withdraw",
    status_code=200,
    response_model=ApprovalOut,
    summary="Withdraw",
    responses=refusals(StateMoveRefused, NotTheProposer),
)
async def withdraw_proposal(
    approval_id: UUID, grounds: ReasonIn, command: Annotated[CommandRunner, perform_command("approval.withdraw")]
) -> Response:
    """Take back what you proposed yourself; what a refund held is unapplied cash again. It needs no second person."""

    async def withdraw_and_show_proposal(unit: Unit) -> ApprovalOut:
        return ApprovalOut.from_approval_row(
            await approval_decisions.withdraw_adjustment(unit, approval_id, command.caller, grounds.reason)
        )

    return await command.run(withdraw_and_show_proposal, status=200, reason=grounds.reason, subject=approval_id)


@reads.get("/approval-limits", name="list_approval_limits", summary="List the limits of roles")
async def list_limits(read: Read) -> LimitsOut:
    """Up to what each role decides; a role that is not listed decides about nothing."""

    async def load_approval_limits(unit: Unit) -> LimitsOut:
        limits = [LimitOut.model_validate(dict(row)) for row in await approval_queries.list_approval_limits(unit)]
        return LimitsOut(limits=limits, proposed=await list_pending_setting_changes(unit, SettingKind.APPROVAL_LIMIT))

    return await read(load_approval_limits)


@limits.put(
    "/approval-limits/{role}/{currency}",
    response_model=LimitOut,
    summary="Say up to what a role decides",
    responses={**CHANGE_PROPOSED, **refusals(ChangeAlreadyProposed, OwnApprovalLimit)},
)
async def put_approval_limit(
    role: Code,
    currency: Currency,
    limit: LimitIn,
    command: Annotated[ChangeRunner, perform_change("approval_limit.set")],
) -> LimitOut | Response:
    """Set a limit, in the place of a former one. Nobody raises the limit of a role that they have (403 `own_limit`).

    To raise one needs a second person (202) once a legal entity that requires one has issued an invoice.
    """
    caller, money = command.caller, Money(limit.amount_minor, currency)

    async def change_role_limit(unit: Unit) -> SettingChangeRow:
        return await approval_limits.change_approval_limit(unit, caller, role, money, limit.reason)

    row = await command.run(change_role_limit, reason=limit.reason)
    if not is_setting_change_applied(row):
        return answer_pending_setting_change(row)
    return LimitOut(role=role, currency=currency, set_by=caller.subject, **limit.model_dump())
