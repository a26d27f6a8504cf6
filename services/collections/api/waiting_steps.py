"""Waiting steps over REST: what the guard holds back, and what waits for the bank's data or for a notice."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from services.collections.repository.waiting_step_queries import WaitingStepCriteria, search_waiting_steps
from shared.events.collections import WaitsFor
from shared.pure.fields import Code, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Page, Paging, Read, Router

reads = Router(
    prefix="/v1/waiting-steps", tags=["waiting steps"], dependencies=[needs("collections:read")], responses=PROBLEMS
)


class WaitingStepOut(BaseModel):
    """A step of the policy that is due for an invoice and waits; amounts are minor units."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        legal_entity="GS-DE",
        number="GS-DE-00000001",
        due_date="2026-03-31",
        currency="EUR",
        open_minor=25200,
        step="suspend",
        waits_for="guard",
        cause="all suspensions are stopped",
        since="2026-04-14T07:00:00Z",
        until=None,
    )

    invoice_id: UUID
    account_id: UUID
    legal_entity: str
    number: str
    due_date: date
    currency: str
    open_minor: int
    step: str
    waits_for: WaitsFor = Field(
        description="`guard`: a person approves or resumes; `bank_data`: newer statements, or a decision about a"
        " receipt; `policy`: what the policy requires before, such as a notice"
    )
    cause: str
    since: datetime
    until: datetime | None = Field(description="when it is looked at again, where time alone will do")


@reads.get("", summary="List steps that are due and wait")
async def list_waiting_steps(
    read: Read,
    paging: Paging,
    waits_for: Annotated[WaitsFor | None, Query()] = None,
    account_id: Annotated[UUID | None, Query()] = None,
    legal_entity: Annotated[Code | None, Query()] = None,
) -> Page[WaitingStepOut]:
    """Steps of all accounts that are due and wait, in the order of their invoices' ids.

    A suspension that was requested before a person stopped all stands here as soon as entitlements asked for it.
    """
    criteria, after = WaitingStepCriteria(waits_for, account_id, legal_entity), paging.get_last_id()
    rows = await read(lambda unit: search_waiting_steps(unit, criteria, after, paging.limit + 1))
    return paging.page([WaitingStepOut.model_validate(dict(row)) for row in rows], key=lambda row: row.invoice_id)
