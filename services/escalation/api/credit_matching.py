"""Credits of the vendor's and of customers over REST: matched with the service credits that they answer."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.escalation.api.service_credit_bodies import (
    CustomerCreditIn,
    ServiceCreditOut,
    VendorCreditMatchIn,
    VendorCreditOut,
)
from services.escalation.api.service_credits import build_service_credit
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import service_credit_queries
from services.escalation.use_cases import credit_matching
from services.escalation.use_cases.credit_matching import (
    CreditCurrencyDiffers,
    CreditNoteUnavailable,
    CreditOfOtherCustomer,
    CreditPassedOnBefore,
    VendorCreditAlreadyMatched,
    VendorCreditSetAside,
)
from shared.persistence.database import Unit
from shared.pure.fields import ReasonIn
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1", tags=["service credits"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["service credits"], dependencies=[needs("escalation:write")], responses=PROBLEMS)


@reads.get("/vendor-credits", summary="List credits of vendor invoices")
async def list_vendor_credits(
    read: Read,
    paging: Paging,
    service_credit_id: Annotated[UUID | None, Query()] = None,
    is_matched: Annotated[bool | None, Query()] = None,
) -> Page[VendorCreditOut]:
    """Credits that the vendor gave on its invoices.

    Those that are neither matched nor set aside are a work list (`is_matched=false`).
    """
    after = paging.get_last_id()
    rows = await read(
        lambda unit: service_credit_queries.list_vendor_credits(
            unit, service_credit_id, is_matched, after, paging.limit + 1
        )
    )
    return paging.page([VendorCreditOut(**row) for row in rows], key=lambda row: row.difference_id)


@writes.post(
    "/vendor-credits/{difference_id}:set-aside",
    status_code=200,
    response_model=VendorCreditOut,
    summary="Say why no customer gets a credit",
    responses=refusals(VendorCreditAlreadyMatched, VendorCreditSetAside),
)
async def set_aside_credit(
    difference_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("vendor_credit.set_aside")],
) -> Response:
    """The credit is ours, or was given otherwise; it leaves the work list."""

    async def act(unit: Unit) -> VendorCreditOut:
        row = await credit_matching.set_aside_vendor_credit(unit, difference_id, command.caller.subject, grounds.reason)
        return VendorCreditOut(**row.model_dump())

    return await command.run(act, status=200, reason=grounds.reason, subject=difference_id)


@writes.post(
    "/vendor-credits/{difference_id}:restore",
    status_code=200,
    response_model=VendorCreditOut,
    summary="Take back that no customer gets it",
    responses=refusals(StateMoveRefused),
)
async def restore_credit(
    difference_id: UUID, command: Annotated[CommandRunner, perform_command("vendor_credit.restore")]
) -> Response:
    """The credit stands on the work list again."""

    async def act(unit: Unit) -> VendorCreditOut:
        return VendorCreditOut(**(await credit_matching.restore_vendor_credit(unit, difference_id)).model_dump())

    return await command.run(act, status=200, subject=difference_id)


@writes.post(
    "/service-credits/{service_credit_id}:match",
    status_code=200,
    response_model=ServiceCreditOut,
    summary="Match a credit of the vendor's",
    responses=refusals(VendorCreditAlreadyMatched, StateMoveRefused, CreditCurrencyDiffers, VendorCreditSetAside),
)
async def match_vendor_credit(
    service_credit_id: UUID,
    matched: VendorCreditMatchIn,
    command: Annotated[CommandRunner, perform_command("service_credit.match")],
) -> Response:
    """Say which credit of a vendor invoice answers the request; several may."""

    async def act(unit: Unit) -> ServiceCreditOut:
        return await build_service_credit(
            unit,
            await credit_matching.match_vendor_credit(
                unit, service_credit_id, matched.difference_id, command.caller.subject
            ),
        )

    return await command.run(act, status=200, subject=service_credit_id)


@writes.post(
    "/service-credits/{service_credit_id}:pass-on",
    status_code=200,
    response_model=ServiceCreditOut,
    summary="Record that the customer was credited",
    responses=refusals(
        CreditNoteUnavailable, StateMoveRefused, CreditCurrencyDiffers, CreditOfOtherCustomer, CreditPassedOnBefore
    ),
)
async def pass_on_service_credit(
    service_credit_id: UUID,
    passed_on: CustomerCreditIn,
    command: Annotated[CommandRunner, perform_command("service_credit.pass_on")],
) -> Response:
    """Record by which credit note of invoicing the customer gets it; the difference is shown."""

    note = await credit_matching.fetch_customer_credit_note(command.runtime, passed_on.credit_note_id)

    async def act(unit: Unit) -> ServiceCreditOut:
        return await build_service_credit(
            unit,
            await credit_matching.record_credit_passed_on(
                unit, service_credit_id, note, command.caller.subject, replaces=passed_on.replace
            ),
        )

    return await command.run(act, status=200, subject=service_credit_id)
