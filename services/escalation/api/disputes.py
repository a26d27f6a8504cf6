"""Disputes over REST: opened, read, reviewed, amended, rejected, withdrawn."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from services.escalation import use_cases
from services.escalation.api.dispute_bodies import (
    DisputeAmendmentIn,
    DisputeAmendmentOut,
    DisputedLineOut,
    DisputeIn,
    DisputeOut,
)
from services.escalation.domain.disputes import DisputeState
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import dispute_queries
from services.escalation.repository.dispute_queries import DisputeFilter
from services.escalation.tables import DisputeRow
from services.escalation.use_cases.amendments import DisputeAdditionRefused
from services.escalation.use_cases.collections_answers import TermsUnavailable
from services.escalation.use_cases.dispute_items import DisputeAmendmentPending, list_reserving_disputes
from services.escalation.use_cases.dispute_reasons import DisputeReasonsMixed, UnknownDisputeReason
from services.escalation.use_cases.dispute_requests import (
    DisputeAboveInvoice,
    InvoiceOfAnotherAccount,
    UnknownDisputedInvoice,
    UnknownDisputedLine,
)
from shared.persistence.database import Unit
from shared.process.intents import Intent
from shared.pure.errors import Refusal
from shared.pure.fields import ReasonIn
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/disputes", tags=["disputes"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/disputes", tags=["disputes"], dependencies=[needs("escalation:write")], responses=PROBLEMS)
overrides = Router(
    prefix="/v1/disputes", tags=["disputes"], dependencies=[needs("escalation:override")], responses=PROBLEMS
)

Request = Callable[[Unit], Awaitable[tuple[DisputeRow, Intent | None]]]


class DisputeRefused(Refusal):
    """Invoicing refuses to reserve the amounts; `detail` says why, `held_by` for which disputes and cases."""

    code = "dispute_refused"


class AmendmentRefused(Refusal):
    """Invoicing refuses to reserve other amounts, and the former ones stay; `detail` and `held_by` say why."""

    code = "amendment_refused"


ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"model": DisputeOut, "description": "invoicing cannot be reached now; a worker goes on"}
}


@writes.post(
    "",
    status_code=201,
    response_model=DisputeOut,
    summary="Open a dispute",
    responses={
        **ACCEPTED,
        **refusals(
            DisputeAboveInvoice,
            DisputeRefused,
            InvoiceOfAnotherAccount,
            DisputeReasonsMixed,
            TermsUnavailable,
            UnknownDisputedInvoice,
            UnknownDisputedLine,
            UnknownDisputeReason,
        ),
    },
)
async def open_dispute(
    dispute: DisputeIn, command: Annotated[CommandRunner, perform_command("dispute.open")]
) -> Response:
    """Reserve the disputed amounts in invoicing, and open the dispute; 409 if they cannot be reserved.

    A line that was rejected before, without new evidence, becomes a `question` that reserves nothing; so does what
    comes later than the policy says. Where collections does not say until when, it comes in time.
    """
    new = dispute.build_dispute()
    await use_cases.dispute_requests.check_dispute_items(command.runtime, new.invoice_id, new.items)
    window = await use_cases.collections_answers.fetch_dispute_window(command.runtime, new.invoice_id)
    subject, request = command.caller.subject, use_cases.dispute_requests.request_dispute
    return await _reserve(command, lambda unit: request(unit, new, window, subject), new.account_id)


@overrides.post(
    "/{dispute_id}:admit",
    status_code=201,
    response_model=DisputeOut,
    summary="Admit a question as a dispute",
    responses={**ACCEPTED, **refusals(DisputeRefused, StateMoveRefused, UnknownDisputeReason, DisputeReasonsMixed)},
)
async def admit_dispute(
    dispute_id: UUID, grounds: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.admit")]
) -> Response:
    """Let somebody dispute what was rejected before, or comes too late: the amounts are reserved from now on."""
    subject = command.caller.subject
    return await _reserve(
        command,
        lambda unit: use_cases.dispute_requests.admit_question_as_dispute(unit, dispute_id, subject, grounds.reason),
        dispute_id,
        grounds.reason,
    )


async def _reserve(command: CommandRunner, request: Request, subject_id: UUID, reason: str | None = None) -> Response:
    """Commit what is requested, and reserve its amounts at once if nobody else does."""
    leased: Intent | None = None

    async def commit(unit: Unit) -> DisputeOut:
        nonlocal leased
        row, leased = await request(unit)
        return DisputeOut.from_row(row)

    async def reserve(dispute: DisputeOut) -> None:
        await use_cases.reservations.reserve_amounts_now(command.runtime, dispute.id, leased)

    answer, dispute = await command.run_with_call(
        commit, reserve, _read_dispute, DisputeOut, reason=reason, subject=subject_id
    )
    if dispute.state is DisputeState.REFUSED:
        holders = await _list_holders(command, dispute.id, dispute.lines, dispute.refusal)
        raise DisputeRefused(dispute.refusal or "refused", dispute_id=str(dispute.id), held_by=holders)
    return answer


async def _read_dispute(unit: Unit, requested: DisputeOut) -> tuple[int, DisputeOut]:
    dispute = DisputeOut.from_row(await dispute_queries.get_dispute(unit, requested.id))
    return (202 if dispute.state is DisputeState.REQUESTED else 201), dispute


async def _list_holders(
    command: CommandRunner, dispute_id: UUID, lines: Sequence[DisputedLineOut], refusal: str | None
) -> list[dict[str, Any]]:
    holders: list[dict[str, Any]] = await command.runtime.units.run(
        lambda unit: list_reserving_disputes(unit, dispute_id, [line.line for line in lines], refusal)
    )
    return holders


@reads.get("", summary="List disputes")
async def list_disputes(
    read: Read,
    paging: Paging,
    account_id: Annotated[UUID | None, Query()] = None,
    invoice_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[DisputeState | None, Query()] = None,
    case_unresolved: Annotated[
        bool | None, Query(description="whether their case goes on: a question ends with its case")
    ] = None,
) -> Page[DisputeOut]:
    """Disputes in the order of their ids."""
    after = paging.get_last_id()
    wanted = DisputeFilter(account_id, invoice_id, state, case_unresolved)
    rows = await read(lambda unit: dispute_queries.list_disputes(unit, wanted, after, paging.limit + 1))
    return paging.page([DisputeOut.from_row(row) for row in rows], key=lambda row: row.id)


@reads.get("/{dispute_id}", summary="One dispute")
async def get_dispute(dispute_id: UUID, read: Read) -> DisputeOut:
    """The dispute as it is now."""
    return DisputeOut.from_row(await read(lambda unit: dispute_queries.get_dispute(unit, dispute_id)))


@reads.get("/{dispute_id}/amendments", summary="The amendments of a dispute")
async def list_amendments(dispute_id: UUID, read: Read) -> Page[DisputeAmendmentOut]:
    """Every amendment in its order, refused ones too."""

    async def load(unit: Unit) -> list[DisputeAmendmentOut]:
        await dispute_queries.get_dispute(unit, dispute_id)
        return [
            DisputeAmendmentOut.from_row(row) for row in await dispute_queries.list_dispute_amendments(unit, dispute_id)
        ]

    return Page(items=await read(load), next=None)


@writes.post(
    "/{dispute_id}:review",
    status_code=200,
    response_model=DisputeOut,
    summary="Begin to review a dispute",
    responses=refusals(StateMoveRefused),
)
async def review_dispute(
    dispute_id: UUID, command: Annotated[CommandRunner, perform_command("dispute.review")]
) -> Response:
    """Say that somebody examines the dispute; its amounts stay reserved."""

    async def begin(unit: Unit) -> DisputeOut:
        return DisputeOut.from_row(await use_cases.disputes.begin_dispute_review(unit, dispute_id))

    return await command.run(begin, status=200, subject=dispute_id)


@writes.post(
    "/{dispute_id}:amend",
    status_code=200,
    response_model=DisputeAmendmentOut,
    summary="Dispute more or less",
    responses={
        202: {"model": DisputeAmendmentOut, "description": "invoicing cannot be reached now; a worker goes on"},
        **refusals(
            DisputeAdditionRefused,
            DisputeAmendmentPending,
            AmendmentRefused,
            StateMoveRefused,
            UnknownDisputedLine,
            DisputeAboveInvoice,
            UnknownDisputeReason,
            DisputeReasonsMixed,
            TermsUnavailable,
        ),
    },
)
async def amend_dispute(
    dispute_id: UUID, amendment: DisputeAmendmentIn, command: Annotated[CommandRunner, perform_command("dispute.amend")]
) -> Response:
    """Put these lines and amounts in the place of all that is disputed; what is added is reserved, the rest released.

    409 if invoicing cannot reserve them: then the dispute stays as it was. Until invoicing has answered nobody decides.
    What comes later than the policy says, or was rejected before, is not added (409 `addition_refused`): it is disputed
    on its own, which gives a question. Less is always taken.
    """
    new, leased = amendment.build_amendment(), None
    dispute = await command.runtime.units.run(lambda unit: dispute_queries.get_dispute(unit, dispute_id))
    await use_cases.dispute_requests.check_dispute_items(command.runtime, dispute.invoice_id, new.items)
    window = await use_cases.collections_answers.fetch_dispute_window(command.runtime, dispute.invoice_id)

    async def commit(unit: Unit) -> DisputeAmendmentOut:
        nonlocal leased
        row, leased = await use_cases.amendments.request_dispute_amendment(
            unit, dispute_id, new, window, command.caller.subject
        )
        return DisputeAmendmentOut.from_row(row)

    async def reserve(_: DisputeAmendmentOut) -> None:
        await use_cases.reservations.reserve_dispute_amendment(command.runtime, leased)

    async def read(unit: Unit, requested: DisputeAmendmentOut) -> tuple[int, DisputeAmendmentOut]:
        row = await dispute_queries.get_dispute_amendment(unit, dispute_id, requested.number)
        return (202 if row.state == "requested" else 200), DisputeAmendmentOut.from_row(row)

    answer, outcome = await command.run_with_call(
        commit, reserve, read, DisputeAmendmentOut, reason=amendment.reason, subject=dispute_id
    )
    if outcome.state == "refused":
        holders = await _list_holders(command, dispute_id, outcome.lines, outcome.refusal)
        raise AmendmentRefused(outcome.refusal or "refused", number=outcome.number, held_by=holders)
    return answer


@writes.post(
    "/{dispute_id}:reject",
    status_code=200,
    response_model=DisputeOut,
    summary="Reject a dispute",
    responses=refusals(DisputeAmendmentPending, StateMoveRefused),
)
async def reject_dispute(
    dispute_id: UUID, body: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.reject")]
) -> Response:
    """The invoice was right: invoicing releases the amounts, and they are dunnable again."""

    async def reject(unit: Unit) -> DisputeOut:
        return DisputeOut.from_row(await use_cases.disputes.reject_dispute_by_hand(unit, dispute_id, body.reason))

    return await command.run(reject, status=200, reason=body.reason, subject=dispute_id)


@writes.post(
    "/{dispute_id}:withdraw",
    status_code=200,
    response_model=DisputeOut,
    summary="Withdraw a dispute",
    responses=refusals(DisputeAmendmentPending, StateMoveRefused),
)
async def withdraw_dispute(
    dispute_id: UUID, body: ReasonIn, command: Annotated[CommandRunner, perform_command("dispute.withdraw")]
) -> Response:
    """The customer no longer disputes: invoicing releases the amounts."""

    async def withdraw(unit: Unit) -> DisputeOut:
        return DisputeOut.from_row(await use_cases.disputes.withdraw_dispute(unit, dispute_id, body.reason))

    return await command.run(withdraw, status=200, reason=body.reason, subject=dispute_id)
