"""Vendor disputes over REST: what we contest of the vendor's invoices, and what it answers."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.escalation.api.vendor_dispute_bodies import (
    VendorDisputeAcceptanceIn,
    VendorDisputeIn,
    VendorDisputeOut,
    VendorHandlingIn,
)
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.domain.vendor_disputes import AcceptedAmountRefused, ContestedAboveInvoice, VendorDisputeState
from services.escalation.repository import vendor_dispute_queries
from services.escalation.use_cases import vendor_dispute_moves, vendor_disputes
from services.escalation.use_cases.vendor_dispute_moves import UnknownVendorTicket
from services.escalation.use_cases.vendor_disputes import (
    DifferenceAlreadyContested,
    UnknownVendorDifference,
    VendorInvoiceUnavailable,
)
from shared.persistence.database import Unit
from shared.pure.fields import ReasonIn
from shared.pure.money import CurrencyMismatch
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(
    prefix="/v1/vendor-disputes", tags=["vendor disputes"], dependencies=[needs("escalation:read")], responses=PROBLEMS
)
writes = Router(
    prefix="/v1/vendor-disputes", tags=["vendor disputes"], dependencies=[needs("escalation:write")], responses=PROBLEMS
)


@reads.get("", summary="List vendor disputes")
async def list_vendor_disputes(
    read: Read,
    paging: Paging,
    vendor_invoice_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[VendorDisputeState | None, Query()] = None,
    dispute_id: Annotated[UUID | None, Query(description="the customer's dispute")] = None,
) -> Page[VendorDisputeOut]:
    """Vendor disputes in the order of their ids."""
    after = paging.get_last_id()
    rows = await read(
        lambda unit: vendor_dispute_queries.list_vendor_disputes(
            unit, vendor_invoice_id, state, dispute_id, after, paging.limit + 1
        )
    )
    return paging.page([VendorDisputeOut.from_row(row) for row in rows], key=lambda row: row.id)


@reads.get("/{vendor_dispute_id}", summary="One vendor dispute")
async def get_vendor_dispute(vendor_dispute_id: UUID, read: Read) -> VendorDisputeOut:
    """The vendor dispute as it is now, with what the vendor answered."""
    row = await read(lambda unit: vendor_dispute_queries.get_vendor_dispute(unit, vendor_dispute_id))
    return VendorDisputeOut.from_row(row)


@writes.post(
    "",
    status_code=201,
    response_model=VendorDisputeOut,
    summary="Contest a part of a vendor invoice",
    responses=refusals(
        DifferenceAlreadyContested,
        ContestedAboveInvoice,
        CurrencyMismatch,
        StateMoveRefused,
        UnknownVendorDifference,
        VendorInvoiceUnavailable,
    ),
)
async def open_vendor_dispute(
    contested: VendorDisputeIn, command: Annotated[CommandRunner, perform_command("vendor_dispute.open")]
) -> Response:
    """Contest amounts of a vendor invoice, which stays payable in full; announces `VendorDisputeOpened`.

    All that is contested of an invoice, with what the vendor has accepted of it, is at most its total.
    """
    new = contested.build_vendor_dispute()
    invoice = await vendor_disputes.fetch_vendor_invoice(command.runtime, new)

    async def act(unit: Unit) -> VendorDisputeOut:
        row = await vendor_disputes.open_vendor_dispute(unit, new, invoice, command.caller.subject)
        return VendorDisputeOut.from_row(row)

    return await command.run(act, reason=new.reason, subject=new.vendor_invoice_id)


@writes.post(
    "/{vendor_dispute_id}:set-ticket",
    name="set_vendor_dispute_ticket",
    status_code=200,
    response_model=VendorDisputeOut,
    summary="Set the ticket and the deadline",
    responses=refusals(StateMoveRefused, UnknownVendorTicket),
)
async def set_ticket(
    vendor_dispute_id: UUID,
    at_vendor: VendorHandlingIn,
    command: Annotated[CommandRunner, perform_command("vendor_dispute.set_ticket")],
) -> Response:
    """Say where the vendor works on it and until when it is to answer.

    Five days before that day `VendorDisputeDeadlineNear` is announced.
    """

    async def act(unit: Unit) -> VendorDisputeOut:
        row = await vendor_dispute_moves.set_vendor_dispute_ticket(
            unit, vendor_dispute_id, at_vendor.build_at_vendor(), command.caller.subject
        )
        return VendorDisputeOut.from_row(row)

    return await command.run(act, status=200, subject=vendor_dispute_id)


@writes.post(
    "/{vendor_dispute_id}:accept",
    status_code=200,
    response_model=VendorDisputeOut,
    summary="Record what the vendor accepts",
    responses=refusals(AcceptedAmountRefused, StateMoveRefused),
)
async def accept_vendor_dispute(
    vendor_dispute_id: UUID,
    accepted: VendorDisputeAcceptanceIn,
    command: Annotated[CommandRunner, perform_command("vendor_dispute.accept")],
) -> Response:
    """Record that the vendor accepts all or a part of it; announces `VendorDisputeResolved`."""

    async def act(unit: Unit) -> VendorDisputeOut:
        row = await vendor_dispute_moves.accept_vendor_dispute(
            unit, vendor_dispute_id, accepted.accepted_minor, command.caller.subject, accepted.reason
        )
        return VendorDisputeOut.from_row(row)

    return await command.run(act, status=200, reason=accepted.reason, subject=vendor_dispute_id)


@writes.post(
    "/{vendor_dispute_id}:reject",
    status_code=200,
    response_model=VendorDisputeOut,
    summary="Record that the vendor rejects it",
    responses=refusals(StateMoveRefused),
)
async def reject_vendor_dispute(
    vendor_dispute_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("vendor_dispute.reject")],
) -> Response:
    """The vendor insists on all of it; announces `VendorDisputeResolved`."""
    return await _end_vendor_dispute(vendor_dispute_id, VendorDisputeState.REJECTED, grounds, command)


@writes.post(
    "/{vendor_dispute_id}:withdraw",
    status_code=200,
    response_model=VendorDisputeOut,
    summary="Withdraw a vendor dispute",
    responses=refusals(StateMoveRefused),
)
async def withdraw_vendor_dispute(
    vendor_dispute_id: UUID,
    grounds: ReasonIn,
    command: Annotated[CommandRunner, perform_command("vendor_dispute.withdraw")],
) -> Response:
    """We contest it no more; announces `VendorDisputeResolved`."""
    return await _end_vendor_dispute(vendor_dispute_id, VendorDisputeState.WITHDRAWN, grounds, command)


async def _end_vendor_dispute(
    vendor_dispute_id: UUID, wanted: VendorDisputeState, grounds: ReasonIn, command: CommandRunner
) -> Response:
    async def act(unit: Unit) -> VendorDisputeOut:
        row = await vendor_dispute_moves.end_vendor_dispute(
            unit, vendor_dispute_id, wanted, command.caller.subject, grounds.reason
        )
        return VendorDisputeOut.from_row(row)

    return await command.run(act, status=200, reason=grounds.reason, subject=vendor_dispute_id)
