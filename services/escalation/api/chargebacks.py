"""Chargebacks over REST: which evidence was given to the card network."""

from typing import Annotated
from uuid import UUID

from fastapi import Response

from services.escalation import use_cases
from services.escalation.api.chargeback_bodies import ChargebackOut, NetworkEvidenceIn
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import chargeback_queries
from services.escalation.use_cases.chargebacks import ChargebackEvidenceRefused
from services.escalation.use_cases.ticket_files import TicketFileUnknown
from shared.persistence.database import Unit
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Router, refusals

writes = Router(
    prefix="/v1/chargebacks", tags=["chargebacks"], dependencies=[needs("escalation:write")], responses=PROBLEMS
)


async def find_chargeback_out(unit: Unit, cause: str | None) -> ChargebackOut | None:
    """Find the chargeback that is the cause of a case, with its evidence; most have none."""
    row = await chargeback_queries.find_chargeback_of_case(unit, cause)
    if row is None:
        return None
    return ChargebackOut.from_rows(row, await chargeback_queries.list_chargeback_evidence(unit, row.chargeback_id))


@writes.post(
    "/{chargeback_id}:submit-evidence",
    status_code=200,
    response_model=ChargebackOut,
    summary="Record evidence that was given to the card network",
    responses=refusals(ChargebackEvidenceRefused, TicketFileUnknown, StateMoveRefused),
)
async def submit_evidence(
    chargeback_id: UUID,
    evidence: NetworkEvidenceIn,
    command: Annotated[CommandRunner, perform_command("chargeback.submit_evidence")],
) -> Response:
    """Record which files of its case a person gave to the network, and when: nobody is warned of the last day then."""

    async def submit(unit: Unit) -> ChargebackOut:
        row = await use_cases.chargebacks.submit_chargeback_evidence(
            unit, chargeback_id, evidence.build_evidence(), command.caller.subject
        )
        return ChargebackOut.from_rows(row, await chargeback_queries.list_chargeback_evidence(unit, chargeback_id))

    return await command.run(submit, status=200, subject=chargeback_id)
