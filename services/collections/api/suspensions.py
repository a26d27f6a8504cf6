"""Suspensions over REST: whether one still stands, and a person's release."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.collections import use_cases
from services.collections.domain.suspension import SuspensionMoveRefused, SuspensionState
from services.collections.domain.suspension_record import SuspensionRecord
from services.collections.repository import suspension_queries
from services.collections.repository.suspension_queries import SuspensionCriteria
from services.collections.use_cases import suspension_check
from services.collections.use_cases.suspensions import SuspensionReleaseRefused
from shared.persistence.database import Unit
from shared.pure.fields import Day, ReasonIn, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(
    prefix="/v1/suspensions", tags=["suspensions"], dependencies=[needs("collections:read")], responses=PROBLEMS
)
writes = Router(
    prefix="/v1/suspensions", tags=["suspensions"], dependencies=[needs("collections:write")], responses=PROBLEMS
)


class SuspensionOut(BaseModel):
    """A suspension and the invoices that it still rests on."""

    model_config = set_model_example(
        id="01a20d67-8c52-7f3b-8d94-0e6b2a91c57f",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        subscription_id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
        state="effective",
        policy_version=1,
        step="suspend",
        requested_at="2026-04-14T07:00:00Z",
        effective_at="2026-04-14T07:00:05Z",
        invoice_ids=["01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7"],
    )

    id: UUID
    account_id: UUID
    subscription_id: UUID
    state: str
    policy_version: int
    step: str
    requested_at: datetime
    effective_at: datetime | None
    invoice_ids: list[UUID]

    @classmethod
    def of(cls, suspension: SuspensionRecord) -> Self:
        """The answer for a suspension."""
        fields = {name: getattr(suspension, name) for name in cls.model_fields if name != "invoice_ids"}
        return cls(**fields, invoice_ids=list(suspension.causes))


class ListedSuspensionOut(SuspensionOut):
    """A suspension with what the vendor made of it; a person's reason for its end stands in the audit."""

    model_config = set_model_example(
        **get_model_example(SuspensionOut), ended_at=None, vendor_bills_on=True, vendor_refusal=None
    )

    ended_at: datetime | None
    vendor_bills_on: bool | None = Field(description="whether the vendor bills on while it is suspended")
    vendor_refusal: str | None = Field(description="the vendor's code, if it refused for good")


class ReleaseIn(ReasonIn):
    """Why a person releases a suspension, and the last day, in the account's zone, on which that holds."""

    until: Day = Field(examples=["2026-04-30"])


class ConfirmationOut(BaseModel):
    """Whether a suspension may be carried out at the vendor now, by fresh balances."""

    model_config = set_model_example(
        suspension_id="01a20d67-8c52-7f3b-8d94-0e6b2a91c57f",
        verdict="stands",
        detail="its causes are dunnable by fresh balances",
    )

    suspension_id: UUID
    verdict: Literal["stands", "withdrawn", "wait"] = Field(
        description="`stands`: suspend now; `wait`: ask again later; `withdrawn`: it is not wanted any more"
    )
    detail: str


@reads.get("", summary="List suspensions")
async def list_suspensions(
    read: Read,
    paging: Paging,
    state: Annotated[SuspensionState | None, Query()] = None,
    account_id: Annotated[UUID | None, Query()] = None,
) -> Page[ListedSuspensionOut]:
    """Suspensions of all accounts in the order of their ids, which is that in which they were requested."""
    criteria, after = SuspensionCriteria(state, account_id), paging.get_last_id()
    rows = await read(lambda unit: suspension_queries.search_suspensions(unit, criteria, after, paging.limit + 1))
    return paging.page([ListedSuspensionOut.model_validate(dict(row)) for row in rows], key=lambda row: row.id)


@reads.get("/{suspension_id}", summary="One suspension")
async def get_suspension(suspension_id: UUID, read: Read) -> SuspensionOut:
    """The suspension and its causes."""
    return SuspensionOut.of(await read(lambda unit: suspension_queries.get_suspension(unit, suspension_id)))


@reads.get("/{suspension_id}/confirmation", summary="Whether a suspension still stands")
async def get_confirmation(suspension_id: UUID, read: Read) -> ConfirmationOut:
    """Asked directly before the vendor is called; invoicing is asked for fresh balances first.

    What that brings is kept like any other fact: a suspension that nothing carries is withdrawn.
    """
    verdict, detail = await suspension_check.confirm_suspension(read.runtime, suspension_id)
    return ConfirmationOut(suspension_id=suspension_id, verdict=verdict, detail=detail)


@writes.post(
    "/{suspension_id}:release",
    status_code=200,
    response_model=SuspensionOut,
    summary="Release a suspension",
    responses=refusals(SuspensionMoveRefused, SuspensionReleaseRefused),
)
async def release_suspension(
    suspension_id: UUID, body: ReleaseIn, command: Annotated[CommandRunner, perform_command("suspension.release")]
) -> Response:
    """A person accepts a promise or a dispute: access comes back though the debt stands.

    After the last day, access ends again only after a new final notice and its days.
    """

    async def release(unit: Unit) -> SuspensionOut:
        return SuspensionOut.of(
            await use_cases.suspensions.release_suspension(unit, suspension_id, body.until, body.reason)
        )

    return await command.run(release, status=200, reason=body.reason, subject=suspension_id)
