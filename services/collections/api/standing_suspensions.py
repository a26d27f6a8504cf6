"""The suspensions in the standing of an account."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from shared.pure.fields import set_model_example


class SuspensionDetailsOut(BaseModel):
    """A suspension with its causes; `vendor_bills_on` says whether we go on owing for it."""

    model_config = set_model_example(
        id="01a20d67-8c52-7f3b-8d94-0e6b2a91c57f",
        subscription_id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
        state="effective",
        policy_version=1,
        step="suspend",
        invoice_ids=["01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7"],
        requested_at="2026-04-14T07:00:00Z",
        effective_at="2026-04-14T07:00:05Z",
        ended_at=None,
        ended_because=None,
        released_until=None,
        vendor_bills_on=True,
        vendor_refusal=None,
    )

    id: UUID
    subscription_id: UUID
    state: str
    policy_version: int
    step: str
    invoice_ids: list[UUID]
    requested_at: datetime
    effective_at: datetime | None
    ended_at: datetime | None
    ended_because: str | None
    released_until: date | None = Field(description="the last day of a person's release")
    vendor_bills_on: bool | None
    vendor_refusal: str | None = Field(description="the code of a refusal for good, as `subscription_ended`")
