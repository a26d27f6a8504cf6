"""Vendor tickets of a distributor over REST: sent by mail."""

from typing import Annotated
from uuid import UUID

from fastapi import Response

from services.escalation import use_cases
from services.escalation.api.ticket_bodies import VendorTicketDetailsOut
from services.escalation.api.vendor_tickets import load_ticket_details
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.use_cases.ticket_mails import VendorNotReachedByMail
from shared.persistence.database import Unit
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Router, refusals

writes = Router(
    prefix="/v1/vendor-tickets", tags=["vendor tickets"], dependencies=[needs("escalation:write")], responses=PROBLEMS
)


@writes.post(
    "/{ticket_id}:send",
    status_code=200,
    response_model=VendorTicketDetailsOut,
    summary="Send a request to the distributor",
    responses=refusals(StateMoveRefused, VendorNotReachedByMail),
)
async def send_ticket(
    ticket_id: UUID, command: Annotated[CommandRunner, perform_command("vendor_ticket.send")]
) -> Response:
    """Send the text with the evidence pack as mail; once it is delivered the case waits for the vendor.

    What the distributor answers comes into the thread for the vendor. What was refused or came back is sent again.
    """

    async def send(unit: Unit) -> VendorTicketDetailsOut:
        await use_cases.ticket_mails.enqueue_distributor_request(unit, ticket_id, command.caller.subject)
        return await load_ticket_details(unit, ticket_id)

    return await command.run(send, status=200, subject=ticket_id)
