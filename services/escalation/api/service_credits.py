"""Service credits over REST: what the vendor is asked to give back, and what becomes of it."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.escalation.api.service_credit_bodies import (
    CreditEvidenceIn,
    ServiceCreditGrantIn,
    ServiceCreditIn,
    ServiceCreditOut,
    ServiceCreditRequestIn,
)
from services.escalation.domain.service_credits import CreditEvidenceMissing, ServiceCreditState, TooLateForVendor
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import service_credit_queries
from services.escalation.tables import ServiceCreditRow
from services.escalation.use_cases import service_credits
from services.escalation.use_cases.service_credits import (
    EvidenceNotOfCustomer,
    UnknownCreditEvidence,
    UnknownServiceCreditType,
)
from shared.persistence.database import Unit
from shared.pure.fields import Day, ReasonIn
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1", tags=["service credits"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["service credits"], dependencies=[needs("escalation:write")], responses=PROBLEMS)

MAX_SHOWN = 200
"""How many drafts are shown by their last day."""


async def build_service_credit(unit: Unit, row: ServiceCreditRow) -> ServiceCreditOut:
    """Build the answer for a service credit, with what its type wants to be seen and what was matched."""
    kind = await service_credit_queries.find_service_credit_type(unit, row.type_code)
    assert kind is not None
    return ServiceCreditOut.from_row(row, kind.evidence, await service_credit_queries.sum_vendor_credited(unit, row.id))


async def _build_all(unit: Unit, rows: list[ServiceCreditRow]) -> list[ServiceCreditOut]:
    wanted = {kind.code: kind.evidence for kind in await service_credit_queries.list_service_credit_types(unit)}
    totals = await service_credit_queries.map_vendor_credited_amounts(unit, [row.id for row in rows])
    return [ServiceCreditOut.from_row(row, wanted[row.type_code], totals.get(row.id, 0)) for row in rows]


@reads.get("/service-credits", summary="List service credits")
async def list_service_credits(
    read: Read,
    paging: Paging,
    account_id: Annotated[UUID | None, Query()] = None,
    case_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[ServiceCreditState | None, Query()] = None,
) -> Page[ServiceCreditOut]:
    """Service credits in the order of their ids."""
    after = paging.get_last_id()

    async def load(unit: Unit) -> list[ServiceCreditOut]:
        rows = await service_credit_queries.list_service_credits(
            unit, account_id, case_id, state, after, paging.limit + 1
        )
        return await _build_all(unit, list(rows))

    return paging.page(await read(load), key=lambda row: row.id)


@reads.get("/service-credits-by-last-day", summary="List drafts by their last day")
async def list_urgent_credits(
    read: Read, until: Annotated[Day, Query(description="last days up to this one")]
) -> Page[ServiceCreditOut]:
    """Drafts of which the vendor soon takes no request any more, the most urgent first; at most 200."""

    async def load(unit: Unit) -> list[ServiceCreditOut]:
        return await _build_all(
            unit, list(await service_credit_queries.list_urgent_service_credits(unit, until, MAX_SHOWN))
        )

    return Page(items=await read(load), next=None)


@reads.get("/service-credits/{service_credit_id}", summary="One service credit")
async def get_service_credit(service_credit_id: UUID, read: Read) -> ServiceCreditOut:
    """The service credit as it is now, with its checklist."""

    async def load(unit: Unit) -> ServiceCreditOut:
        return await build_service_credit(
            unit, await service_credit_queries.get_service_credit(unit, service_credit_id)
        )

    return await read(load)


@writes.post(
    "/service-credits",
    status_code=201,
    response_model=ServiceCreditOut,
    summary="Open a service credit",
    responses=refusals(UnknownServiceCreditType),
)
async def open_service_credit(
    new: ServiceCreditIn, command: Annotated[CommandRunner, perform_command("service_credit.open")]
) -> Response:
    """Open a service credit with a case of its own, with its checklist and its last day."""

    async def act(unit: Unit) -> ServiceCreditOut:
        row = await service_credits.open_service_credit(unit, new.build_service_credit(), command.caller.subject)
        return await build_service_credit(unit, row)

    return await command.run(act, subject=new.account_id)


@writes.post(
    "/service-credits/{service_credit_id}/evidence",
    status_code=201,
    response_model=ServiceCreditOut,
    summary="Add evidence to a service credit",
    responses=refusals(EvidenceNotOfCustomer, StateMoveRefused, UnknownCreditEvidence),
)
async def add_evidence(
    service_credit_id: UUID,
    evidence: CreditEvidenceIn,
    command: Annotated[CommandRunner, perform_command("service_credit.evidence")],
) -> Response:
    """Add what the vendor wants to see, in the place of what was there under this code."""

    async def act(unit: Unit) -> ServiceCreditOut:
        added = service_credits.NewCreditEvidence(evidence.code, evidence.content, evidence.entry_id)
        row = await service_credits.add_credit_evidence(unit, service_credit_id, added, command.caller.subject)
        return await build_service_credit(unit, row)

    return await command.run(act, subject=service_credit_id)


@writes.post(
    "/service-credits/{service_credit_id}:request",
    status_code=200,
    response_model=ServiceCreditOut,
    summary="Record that the vendor was asked",
    responses=refusals(CreditEvidenceMissing, StateMoveRefused, TooLateForVendor),
)
async def request_service_credit(
    service_credit_id: UUID,
    asked: ServiceCreditRequestIn,
    command: Annotated[CommandRunner, perform_command("service_credit.request")],
) -> Response:
    """Record that the vendor was asked for it; 409 with a list while evidence is missing, and once it is too late."""

    async def act(unit: Unit) -> ServiceCreditOut:
        return await build_service_credit(
            unit,
            await service_credits.record_credit_requested(
                unit, service_credit_id, asked.vendor_reference, command.caller.subject
            ),
        )

    return await command.run(act, status=200, subject=service_credit_id)


@writes.post(
    "/service-credits/{service_credit_id}:grant",
    status_code=200,
    response_model=ServiceCreditOut,
    summary="Record that the vendor grants it",
    responses=refusals(StateMoveRefused),
)
async def grant_service_credit(
    service_credit_id: UUID,
    grant: ServiceCreditGrantIn,
    command: Annotated[CommandRunner, perform_command("service_credit.grant")],
) -> Response:
    """Record what the vendor grants; it is to be passed on to the customer."""

    async def act(unit: Unit) -> ServiceCreditOut:
        return await build_service_credit(
            unit,
            await service_credits.record_credit_granted(
                unit, service_credit_id, grant.granted_minor, command.caller.subject, grant.reason
            ),
        )

    return await command.run(act, status=200, reason=grant.reason, subject=service_credit_id)


@writes.post(
    "/service-credits/{service_credit_id}:refuse",
    status_code=200,
    response_model=ServiceCreditOut,
    summary="Record that the vendor refuses it",
    responses=refusals(StateMoveRefused),
)
async def refuse_service_credit(
    service_credit_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("service_credit.refuse")],
) -> Response:
    """The vendor gives nothing, for this reason."""

    async def act(unit: Unit) -> ServiceCreditOut:
        return await build_service_credit(
            unit,
            await service_credits.end_credit_request(
                unit, service_credit_id, ServiceCreditState.REFUSED, command.caller.subject, grounds.reason
            ),
        )

    return await command.run(act, status=200, reason=grounds.reason, subject=service_credit_id)


@writes.post(
    "/service-credits/{service_credit_id}:withdraw",
    status_code=200,
    response_model=ServiceCreditOut,
    summary="Withdraw a service credit",
    responses=refusals(StateMoveRefused),
)
async def withdraw_service_credit(
    service_credit_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("service_credit.withdraw")],
) -> Response:
    """Nobody asks for it any more."""

    async def act(unit: Unit) -> ServiceCreditOut:
        return await build_service_credit(
            unit,
            await service_credits.end_credit_request(
                unit, service_credit_id, ServiceCreditState.WITHDRAWN, command.caller.subject, grounds.reason
            ),
        )

    return await command.run(act, status=200, reason=grounds.reason, subject=service_credit_id)
