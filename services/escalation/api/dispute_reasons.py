"""Reasons of disputes over REST."""

from typing import Annotated

from fastapi import Path

from services.escalation import use_cases
from services.escalation.api.dispute_bodies import DisputeReasonIn, DisputeReasonOut
from services.escalation.repository import dispute_queries
from shared.persistence.database import Unit
from shared.pure.fields import Code
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import PROBLEMS, Page, Read, Router

reads = Router(
    prefix="/v1/dispute-reasons", tags=["disputes"], dependencies=[needs("escalation:read")], responses=PROBLEMS
)
admin = Router(
    prefix="/v1/dispute-reasons", tags=["disputes"], dependencies=[needs("escalation:admin")], responses=PROBLEMS
)


@reads.get("", summary="List the reasons of disputes")
async def list_dispute_reasons(read: Read) -> Page[DisputeReasonOut]:
    """Every reason for which a line may be disputed, by its code."""
    rows = await read(dispute_queries.list_dispute_reasons)
    return Page(items=[DisputeReasonOut.from_row(row) for row in rows], next=None)


@admin.put("/{code}", summary="Keep a reason of disputes")
async def put_dispute_reason(
    code: Annotated[Code, Path()],
    reason: DisputeReasonIn,
    command: Annotated[ChangeRunner, perform_change("dispute_reason.put")],
) -> DisputeReasonOut:
    """Add a reason, or change it for new disputes; one that is not active stays with the disputes that have it."""

    async def save_reason(unit: Unit) -> DisputeReasonOut:
        titles: dict[str, str] = dict(reason.titles.items())
        row = await use_cases.dispute_reasons.put_dispute_reason(
            unit, code, titles, reason.pause_days, reason.is_active
        )
        return DisputeReasonOut.from_row(row)

    return await command.run(save_reason)
