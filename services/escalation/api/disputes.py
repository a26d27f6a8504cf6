"""Disputes over REST."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.escalation import use_cases
from services.escalation.domain.disputes import DisputeState
from services.escalation.domain.moves import MoveRefused
from services.escalation.repository import dispute_queries
from services.escalation.tables import DisputeRow
from services.escalation.use_cases.disputes import (
    AmountAboveInvoice,
    NewDispute,
    NotTheirs,
    UnknownInvoice,
    UnknownLine,
)
from services.escalation.use_cases.upholding import (
    CONFIRM,
    DECLINE,
    UPHOLD,
    AboveLimit,
    AuthorisationUnavailable,
    Decision,
)
from shared import intents
from shared.auth import needs
from shared.commands import CommandRunner, perform_command
from shared.database import Unit
from shared.errors import Refusal
from shared.fields import Body, Prose, ReasonIn, example
from shared.http import PROBLEMS, Page, Paging, Read, Router, refusals
from shared.intents import Intent
from shared.money import Currency, PositiveMinor
from shared.proposals import SecondPersonNeeded

reads = Router(prefix="/v1/disputes", tags=["disputes"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/disputes", tags=["disputes"], dependencies=[needs("escalation:write")], responses=PROBLEMS)

UPHOLDING_REFUSALS = (AboveLimit, SecondPersonNeeded, AuthorisationUnavailable)

Decide = Callable[..., Awaitable[DisputeRow]]
"""A use case of upholding: of a unit, the dispute's id, the caller, the reason, and whether the caller may alone."""


class DisputeRefused(Refusal):
    """Invoicing refuses to reserve the amounts; `detail` says why."""

    code = "dispute_refused"


class LineIn(Body):
    """An amount of one line, in minor units of the invoice's currency."""

    line: int = Field(ge=1, le=500, strict=True)
    amount_minor: PositiveMinor


class DisputeIn(Body):
    """What a customer disputes: named lines of one invoice, with amounts."""

    model_config = example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        currency="EUR",
        lines=[{"line": 1, "amount_minor": 5040}],
        comment="five seats were given back in February",
    )

    account_id: UUID
    invoice_id: UUID
    currency: Currency
    lines: list[LineIn] = Field(min_length=1, max_length=500)
    comment: Prose | None = Field(default=None, description="stays in the database; never on a topic")

    def new(self) -> NewDispute:
        """What is disputed."""
        lines = [(line.line, line.amount_minor) for line in self.lines]
        return NewDispute(self.account_id, self.invoice_id, self.currency, lines, self.comment)


class DisputeOut(BaseModel):
    """A dispute. `requested`: committed, and reserved in invoicing as soon as that answers.

    `waiting_for_second_person`: somebody would uphold it, above the limit of their roles.
    """

    model_config = example(
        id="01a20d65-5762-7361-96ef-cdb432a61f08",
        case_id="01a20d65-5762-7a09-b1f4-93d2c07e5a16",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        currency="EUR",
        lines=[{"line": 1, "amount_minor": 5040}],
        total_minor=5040,
        comment="five seats were given back in February",
        state="opened",
        refusal=None,
        requested_at="2026-04-02T09:30:00Z",
        opened_at="2026-04-02T09:30:01Z",
        ended_at=None,
        credit_note_id=None,
        uphold_proposed_by=None,
        uphold_proposed_at=None,
        ended_reason=None,
    )

    id: UUID
    case_id: UUID
    account_id: UUID
    invoice_id: UUID
    currency: str
    lines: list[LineIn]
    total_minor: int
    comment: str | None = Field(description="the customer's words")
    state: DisputeState
    refusal: str | None
    requested_at: datetime
    opened_at: datetime | None
    ended_at: datetime | None
    credit_note_id: UUID | None
    uphold_proposed_by: str | None = Field(description="who would uphold it, and needs a second person or needed one")
    uphold_proposed_at: datetime | None
    ended_reason: str | None = Field(description="why it was upheld, rejected or withdrawn")

    @classmethod
    def of(cls, row: DisputeRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row, from_attributes=True)


@writes.post(
    "",
    status_code=201,
    response_model=DisputeOut,
    summary="Open a dispute",
    responses={
        202: {"model": DisputeOut, "description": "invoicing cannot be reached now; a worker goes on"},
        **refusals(DisputeRefused, NotTheirs, UnknownInvoice, UnknownLine, AmountAboveInvoice),
    },
)
async def open_dispute(
    dispute: DisputeIn, command: Annotated[CommandRunner, perform_command("dispute.open")]
) -> Response:
    """Reserve the disputed amounts in invoicing, and open the dispute; 409 if they cannot be reserved."""
    leased: Intent | None = None

    async def request(unit: Unit) -> DisputeOut:
        nonlocal leased
        row, leased = await use_cases.disputes.request(unit, dispute.new(), command.caller.subject)
        return DisputeOut.of(row)

    await use_cases.disputes.check_lines(command.runtime, dispute.new())
    answer = await command.run(request, status=202, about=dispute.account_id)
    if answer.status_code == 202:
        answer = await _reserved_now(_told(answer).id, leased, command)
    if (told := _told(answer)).state is DisputeState.REFUSED:
        raise DisputeRefused(told.refusal or "refused", dispute_id=str(told.id))
    return answer


def _told(answer: Response) -> DisputeOut:
    return DisputeOut.model_validate_json(bytes(answer.body))


async def _reserved_now(dispute_id: UUID, leased: Intent | None, command: CommandRunner) -> Response:
    """Do at once what a worker would do, and answer with what became of it; a repeated request may have no lease."""
    intent = leased or await command.runtime.units.run(lambda unit: intents.lease_of(unit, dispute_id))
    if intent is not None:
        await command.runtime.jobs.work(intent)

    async def state_now(unit: Unit) -> tuple[int, DisputeOut]:
        row = DisputeOut.of(await dispute_queries.get_dispute(unit, dispute_id))
        return (202 if row.state is DisputeState.REQUESTED else 201), row

    return await command.amend(state_now)


@reads.get("", summary="List disputes")
async def list_disputes(
    read: Read,
    paging: Paging,
    account_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[DisputeState | None, Query()] = None,
) -> Page[DisputeOut]:
    """Disputes in the order of their ids."""
    after = paging.after_id()
    rows = await read(lambda unit: dispute_queries.list_disputes(unit, account_id, state, after, paging.limit + 1))
    return paging.page([DisputeOut.of(row) for row in rows], key=lambda row: row.id)


@reads.get("/{dispute_id}", summary="One dispute")
async def get_dispute(dispute_id: UUID, read: Read) -> DisputeOut:
    """The dispute as it is now."""
    return DisputeOut.of(await read(lambda unit: dispute_queries.get_dispute(unit, dispute_id)))


async def _decide_upholding(
    decide: Decide, decision: Decision, dispute_id: UUID, basis: ReasonIn, command: CommandRunner
) -> Response:
    """Ask invoicing about the caller, and then do it in one unit."""
    authorised = await use_cases.upholding.is_authorised(command.runtime, dispute_id, command.caller, decision)

    async def decide_once(unit: Unit) -> DisputeOut:
        return DisputeOut.of(await decide(unit, dispute_id, command.caller, basis.reason, authorised=authorised))

    return await command.run(decide_once, status=_status_of, reason=basis.reason, about=dispute_id)


def _status_of(dispute: DisputeOut) -> int:
    return 202 if dispute.state is DisputeState.WAITING_FOR_SECOND_PERSON else 200


@writes.post(
    "/{dispute_id}:uphold",
    status_code=200,
    response_model=DisputeOut,
    summary="Uphold a dispute",
    responses={
        202: {"model": DisputeOut, "description": "above your limit: a second person decides"},
        **refusals(MoveRefused, *UPHOLDING_REFUSALS),
    },
)
async def uphold_dispute(
    dispute_id: UUID, why: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.uphold")]
) -> Response:
    """The customer is right: invoicing releases the amounts and issues a credit note.

    Above the limit of your roles it waits for a second person (`waiting_for_second_person`).
    """
    return await _decide_upholding(use_cases.upholding.uphold, UPHOLD, dispute_id, why, command)


@writes.post(
    "/{dispute_id}:confirm",
    status_code=200,
    response_model=DisputeOut,
    summary="Confirm that a dispute is upheld",
    responses=refusals(MoveRefused, *UPHOLDING_REFUSALS),
)
async def confirm_upholding(
    dispute_id: UUID, basis: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.confirm")]
) -> Response:
    """Uphold what another person proposed to uphold; the amount must be within a limit of your roles."""
    return await _decide_upholding(use_cases.upholding.confirm, CONFIRM, dispute_id, basis, command)


@writes.post(
    "/{dispute_id}:decline",
    status_code=200,
    response_model=DisputeOut,
    summary="Decline to uphold a dispute",
    responses=refusals(MoveRefused, *UPHOLDING_REFUSALS),
)
async def decline_upholding(
    dispute_id: UUID, basis: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.decline")]
) -> Response:
    """Leave the dispute open that was proposed to be upheld; who proposed it may take that back alone."""
    return await _decide_upholding(use_cases.upholding.decline, DECLINE, dispute_id, basis, command)


@writes.post(
    "/{dispute_id}:reject",
    status_code=200,
    response_model=DisputeOut,
    summary="Reject a dispute",
    responses=refusals(MoveRefused),
)
async def reject_dispute(
    dispute_id: UUID, why: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.reject")]
) -> Response:
    """The invoice was right: invoicing releases the amounts, and they are dunnable again."""

    async def reject(unit: Unit) -> DisputeOut:
        return DisputeOut.of(await use_cases.disputes.resolve(unit, dispute_id, "rejected", why.reason))

    return await command.run(reject, status=200, reason=why.reason, about=dispute_id)


@writes.post(
    "/{dispute_id}:withdraw",
    status_code=200,
    response_model=DisputeOut,
    summary="Withdraw a dispute",
    responses=refusals(MoveRefused),
)
async def withdraw_dispute(
    dispute_id: UUID, why: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.withdraw")]
) -> Response:
    """The customer no longer disputes: invoicing releases the amounts."""

    async def withdraw(unit: Unit) -> DisputeOut:
        return DisputeOut.of(await use_cases.disputes.withdraw(unit, dispute_id, why.reason))

    return await command.run(withdraw, status=200, reason=why.reason, about=dispute_id)
