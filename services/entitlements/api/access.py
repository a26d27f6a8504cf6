"""Access over REST: may a subscription be used right now, and why (not)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Self
from uuid import UUID

import asyncpg
from pydantic import BaseModel, Field

from services.entitlements import repository
from shared.events.entitlements import HoldReason, WantedAtVendor
from shared.pure.errors import NotFound
from shared.pure.fields import get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Page, Paging, Read, Router

reads = Router(prefix="/v1", tags=["access"], dependencies=[needs("entitlements:read")], responses=PROBLEMS)


class ActiveHoldOut(BaseModel):
    """A hold that stands."""

    model_config = set_model_example(
        hold_id="01a20d68-41f7-7b61-9e2d-c3a85f7016d4",
        reason="non_payment",
        owner="collections",
        comment=None,
        since="2026-04-14T07:00:00Z",
        suspension_id="01a20d67-8c52-7f3b-8d94-0e6b2a91c57f",
        invoice_ids=["01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7"],
    )

    hold_id: UUID
    reason: HoldReason
    owner: str
    comment: str | None
    since: datetime
    suspension_id: UUID | None
    invoice_ids: list[UUID]

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """The answer for a row."""
        return cls(since=row["placed_at"], **{name: row[name] for name in cls.model_fields if name != "since"})


class VendorFailureOut(BaseModel):
    """A change that the vendor refused for good, or that could not be put back; a person must look."""

    wanted_state: WantedAtVendor
    code: str
    detail: str
    at: datetime


class VendorOut(BaseModel):
    """The vendor's side as it was last seen, and how fresh that is."""

    model_config = set_model_example(state="suspended", seen_at="2026-04-14T07:00:05Z", waiting_for=None, failure=None)

    state: str | None = Field(description="the vendor's own status; null if it was never looked at")
    seen_at: datetime | None
    waiting_for: str | None = Field(description="why the vendor does not have the wanted state yet")
    failure: VendorFailureOut | None


class AccessOut(BaseModel):
    """Whether a subscription may be used."""

    model_config = set_model_example(
        subscription_id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        allowed=False,
        since="2026-04-14T07:00:00Z",
        ended_on=None,
        holds=[get_model_example(ActiveHoldOut)],
        vendor=get_model_example(VendorOut),
    )

    subscription_id: UUID
    account_id: UUID
    allowed: bool = Field(
        description="false while a hold stands, and after the end of the subscription; a hold for non-payment alone"
        " counts once it is confirmed on fresh facts"
    )
    since: datetime = Field(description="since when that is so")
    ended_on: date | None = Field(
        description="the first day without access, in the account's time zone, if the subscription ends or has ended"
    )
    holds: list[ActiveHoldOut]
    vendor: VendorOut


@reads.get("/access/{subscription_id}", summary="May this subscription be used?")
async def get_access(subscription_id: UUID, read: Read) -> AccessOut:
    """Allowed or not, the holds that stand, since when, and what the vendor was seen to have."""
    access = _access(await read(lambda unit: repository.list_access_rows(unit, subscription_id)))
    if not access:
        raise NotFound(f"there is no entitlement to subscription {subscription_id}")
    return access[0]


@reads.get("/accounts/{account_id}/entitlements", summary="Access to the subscriptions of an account")
async def list_entitlements(account_id: UUID, read: Read, paging: Paging) -> Page[AccessOut]:
    """List the access to all subscriptions of an account, in the order of their ids."""
    after = paging.get_last_id()
    rows = await read(lambda unit: repository.list_access_of_account(unit, account_id, after, paging.limit + 1))
    return paging.page(_access(rows), key=lambda shown: shown.subscription_id)


def _access(rows: Iterable[asyncpg.Record]) -> list[AccessOut]:
    return [
        _one(list(rows_of_subscription))
        for _, rows_of_subscription in groupby(rows, key=lambda row: row["subscription_id"])
    ]


def _one(rows: Sequence[asyncpg.Record]) -> AccessOut:
    head = rows[0]
    return AccessOut(
        subscription_id=head["subscription_id"],
        account_id=head["account_id"],
        allowed=head["allowed"],
        since=head["since"],
        ended_on=head["ended_on"],
        holds=[ActiveHoldOut.of(row) for row in rows if row["hold_id"]],
        vendor=VendorOut(
            state=head["seen_status"],
            seen_at=head["seen_at"],
            waiting_for=head["waiting_for"],
            failure=_failure(head),
        ),
    )


def _failure(row: asyncpg.Record) -> VendorFailureOut | None:
    if row["failure_code"] is None:
        return None
    return VendorFailureOut(
        wanted_state=row["failure_wanted"],
        code=row["failure_code"],
        detail=row["failure_detail"],
        at=row["failed_at"],
    )
