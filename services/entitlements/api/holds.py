"""Holds over REST: what a person places and releases. Those for non-payment come and go through collections."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.entitlements import repository, use_cases
from services.entitlements.domain.hold import FraudRoleNeeded, Hold, HoldAlreadyReleased, HoldEndsThroughCollections
from services.entitlements.repository import HoldCriteria
from services.entitlements.use_cases.holds import NewManualHold
from shared.events.entitlements import HoldReason, ManualHoldReason
from shared.persistence.database import Unit
from shared.pure.fields import Name, Prose, ReasonIn, RequestBody, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(prefix="/v1/holds", tags=["holds"], dependencies=[needs("entitlements:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/holds", tags=["holds"], dependencies=[needs("entitlements:write")], responses=PROBLEMS)


class HoldIn(RequestBody):
    """A hold to be placed by a person."""

    model_config = set_model_example(
        subscription_id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
        reason="fraud",
        owner="trust team",
        comment="cards of three countries within a day",
    )

    subscription_id: UUID
    reason: ManualHoldReason
    owner: Name = Field(description="the team that answers for it; who places it says the token")
    comment: Prose | None = None


class HoldOut(BaseModel):
    """A hold, standing or released."""

    model_config = set_model_example(
        hold_id="01a20d68-41f7-7b60-9e2d-c3a85f7016d4",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        subscription_id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
        reason="fraud",
        owner="trust team",
        comment="cards of three countries within a day",
        since="2026-04-14T11:45:00Z",
        released_at=None,
    )

    hold_id: UUID
    account_id: UUID
    subscription_id: UUID
    reason: HoldReason
    owner: str
    comment: str | None
    since: datetime
    released_at: datetime | None

    @classmethod
    def of(cls, hold: Hold) -> Self:
        """The answer for a hold."""
        return cls(
            hold_id=hold.id,
            account_id=hold.account_id,
            subscription_id=hold.subscription_id,
            reason=hold.reason,
            owner=hold.owner,
            comment=hold.comment,
            since=hold.placed_at,
            released_at=hold.released_at,
        )


class ListedHoldOut(HoldOut):
    """A hold with what caused it, and since when the subscription is seen suspended at the vendor for it."""

    model_config = set_model_example(
        **get_model_example(HoldOut), suspension_id=None, invoice_ids=[], effective_at="2026-04-14T11:45:05Z"
    )

    suspension_id: UUID | None = Field(description="of collections, if it is for non-payment")
    invoice_ids: list[UUID]
    effective_at: datetime | None


@reads.get("", summary="List holds")
async def list_holds(
    read: Read,
    paging: Paging,
    state: Annotated[Literal["standing", "released"] | None, Query(description="all if left out")] = None,
    reason: Annotated[HoldReason | None, Query()] = None,
    account_id: Annotated[UUID | None, Query()] = None,
    subscription_id: Annotated[UUID | None, Query()] = None,
) -> Page[ListedHoldOut]:
    """Holds on all subscriptions in the order of their ids, which is that in which they were placed."""
    criteria, after = HoldCriteria(state, reason, account_id, subscription_id), paging.get_last_id()
    rows = await read(lambda unit: repository.search_holds(unit, criteria, after, paging.limit + 1))
    return paging.page([ListedHoldOut.model_validate(dict(row)) for row in rows], key=lambda hold: hold.hold_id)


@writes.post("", status_code=201, response_model=HoldOut, summary="Place a hold")
async def place_hold(hold: HoldIn, command: Annotated[CommandRunner, perform_command("hold.place")]) -> Response:
    """Forbid access at once, and suspend at the vendor; announces `HoldPlaced`. The comment stays here."""

    async def place(unit: Unit) -> HoldOut:
        return HoldOut.of(await use_cases.holds.place_hold(unit, NewManualHold(**hold.model_dump())))

    return await command.run(place, reason=hold.reason, subject=hold.subscription_id)


@writes.post(
    "/{hold_id}:release",
    status_code=200,
    response_model=HoldOut,
    summary="Release a hold",
    responses=refusals(HoldEndsThroughCollections, HoldAlreadyReleased, FraudRoleNeeded),
)
async def release_hold(
    hold_id: UUID, body: ReasonIn, command: Annotated[CommandRunner, perform_command("hold.release")]
) -> Response:
    """Release a hold; access is back when it was the last. 409 for one that ends through collections.

    A fraud hold needs the role `fraud`.
    """

    async def release(unit: Unit) -> HoldOut:
        return HoldOut.of(await use_cases.holds.release_hold(unit, hold_id, command.caller.roles))

    return await command.run(release, status=200, reason=body.reason, subject=hold_id)
